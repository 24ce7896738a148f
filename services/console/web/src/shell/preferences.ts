import { create } from 'zustand';

export type Theme = 'system' | 'light' | 'dark';

type Preferences = { theme: Theme; singleKeys: boolean; customerPane: boolean; direction: 'ltr' | 'rtl' };

const storageKey = 'weftline.preferences';

function stored(): Partial<Preferences> {
  try {
    return JSON.parse(localStorage.getItem(storageKey) ?? '{}') as Partial<Preferences>;
  } catch {
    return {};
  }
}

/** How this browser shows the console. */
export const usePreferences = create<Preferences>(() => ({ theme: 'system', singleKeys: true, customerPane: true, direction: 'ltr', ...stored() }));

export function prefer(change: Partial<Preferences>): void {
  usePreferences.setState(change);
  try {
    localStorage.setItem(storageKey, JSON.stringify(usePreferences.getState()));
  } catch {
    // The choice holds until the page closes.
  }
}

const darkSystem = matchMedia('(prefers-color-scheme: dark)');

function dress(): void {
  const { theme, direction } = usePreferences.getState();
  document.documentElement.dataset.theme = theme === 'system' ? (darkSystem.matches ? 'dark' : 'light') : theme;
  document.documentElement.dir = direction;
}

/** Applies the choices now and after every change. */
export function dressPage(): void {
  dress();
  usePreferences.subscribe(dress);
  darkSystem.addEventListener('change', dress);
}
