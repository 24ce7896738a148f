/** Class names that hold. A class that must win over another of its kind ends in "!". */
export { clsx as cx } from 'clsx';
