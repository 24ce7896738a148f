import { KeyTable } from '../keyboard/KeyTable';
import { prefer, usePreferences, type Theme } from '../shell/preferences';
import { Select } from '../ui/Field';
import { PasswordForm } from './PasswordForm';
import { PageHead } from './SettingsPage';
import { SignatureForm } from './SignatureForm';

export function MinePage() {
  const { theme, singleKeys, direction } = usePreferences();
  return (
    <>
      <PageHead title="My console" about="Your signature and your password are kept by the hub, the rest in this browser." />
      <h2 className="mb-2 font-semibold">Signature</h2>
      <SignatureForm />
      <h2 className="mb-2 font-semibold">Password</h2>
      <PasswordForm />
      <h2 className="mb-2 font-semibold">Appearance</h2>
      <div className="grid gap-x-4 sm:grid-cols-2">
        <Select label="Theme" value={theme} onValue={(value) => prefer({ theme: value as Theme })} options={[['system', 'As the system'], ['light', 'Light'], ['dark', 'Dark']]} />
        <Select label="Direction of the page" help="Messages always follow their own language." value={direction} onValue={(value) => prefer({ direction: value as 'ltr' | 'rtl' })} options={[['ltr', 'Left to right'], ['rtl', 'Right to left']]} />
      </div>
      <h2 className="mt-4 mb-2 font-semibold">Keyboard</h2>
      <label className="mb-4 flex min-h-8 items-center gap-2">
        <input type="checkbox" className="size-4" checked={singleKeys} onChange={(event) => prefer({ singleKeys: event.target.checked })} />
        Single-letter shortcuts. Switch them off when you speak to your computer.
      </label>
      <KeyTable />
    </>
  );
}
