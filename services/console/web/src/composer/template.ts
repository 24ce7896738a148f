import type { TemplateText } from '../gen/weftline/inbox/v1/inbox_pb';

/** Most characters the hub takes for one place. */
export const longestValue = 2_000;

/** A text with its places filled in; an empty value leaves its place to be seen. */
export const fill = (text: string, values: readonly string[]): string =>
  text.replace(/\{\{\s*(\d+)\s*\}\}/g, (hole, n: string) => values[Number(n) - 1]?.trim() || hole);

/** What the customer will read. */
export const asRead = (template: Pick<TemplateText, 'header' | 'body' | 'footer'>, values: readonly string[]): string =>
  [template.header, fill(template.body, values), template.footer].filter(Boolean).join('\n\n');

/** The values to send, one for each place; undefined while one is missing or too long. */
export function valuesOf({ places }: Pick<TemplateText, 'places'>, values: readonly string[]): string[] | undefined {
  const out = Array.from({ length: places }, (_, i) => (values[i] ?? '').trim());
  return out.every((value) => value !== '' && value.length <= longestValue && !/[\n\t]| {4}/.test(value)) ? out : undefined;
}

/** What is wrong with a value, '' for nothing. WhatsApp takes no line ends, tabs or four spaces in a row. */
export const wrongIn = (value: string): string =>
  /[\n\t]| {4}/.test(value.trim()) ? 'No line ends, tabs or four spaces in a row.' : value.trim().length > longestValue ? `At most ${longestValue.toLocaleString()} characters.` : '';

/** Templates one can send, then those one cannot, each by name and language. */
export const inOrder = (templates: readonly TemplateText[]): readonly TemplateText[] =>
  [...templates].sort((a, b) => Number(a.unusable !== '') - Number(b.unusable !== '') || a.name.localeCompare(b.name) || a.language.localeCompare(b.language));

export const keyOf = ({ name, language }: Pick<TemplateText, 'name' | 'language'>): string => `${name} ${language}`;
