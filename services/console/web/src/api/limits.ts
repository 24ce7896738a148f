/** Largest file an agent may send, in bytes. */
export const largestFile = 25 * 1024 * 1024;
