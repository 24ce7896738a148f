/** The languages a browser asks pages for, those that name none left out (some systems say "en-US@posix"); none at all: its own. */
export function localesOf(languages: readonly string[] | undefined): string[] | undefined {
  const known = (languages ?? []).filter((one) => {
    try {
      return Intl.getCanonicalLocales(one).length > 0;
    } catch {
      return false;
    }
  });
  return known.length > 0 ? known : undefined;
}

const locales = localesOf(globalThis.navigator?.languages);

/** Times as the reader writes them. Without naming his languages they would be as the browser's menus have them. */
export const times = (options: Intl.DateTimeFormatOptions, of = locales): Intl.DateTimeFormat => new Intl.DateTimeFormat(of, options);
