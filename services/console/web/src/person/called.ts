/** What the hub calls who has no name and no address (view.Nameless). */
const nameless = 'Visitor';

const isNameless = (name: string): boolean => name === '' || name === nameless;

/** What to call a customer: by his name, and who has none by the end of his id, so that two of them can be told apart. */
export const called = (name: string, customerId: string): string =>
  isNameless(name) ? `${nameless} ${customerId.slice(-4).toUpperCase()}`.trim() : name;

/** What is typed before a customer is erased: his name, and where that would fit many, the end of his id. */
export const eraseWord = (name: string, customerId: string): string => (isNameless(name) ? customerId.slice(-6) : name.trim());
