import { Kbd } from '../ui/Kbd';
import { usePreferences } from '../shell/preferences';
import { bindings, composerKeys, spoken, type Binding } from './keymap';

const groups: readonly Binding['group'][] = ['Anywhere', 'Queue', 'Conversation', 'Writing', 'Go to'];

/** Every shortcut, by where it works. */
export function KeyTable() {
  const singles = usePreferences((s) => s.singleKeys);
  const rows = (group: Binding['group']) => [...bindings.filter((b) => b.group === group), ...(group === 'Writing' ? composerKeys : [])];
  return (
    <div className="grid gap-x-8 gap-y-4 sm:grid-cols-2">
      {groups.map((group) => (
        <section key={group}>
          <h3 className="mb-1 text-xs font-semibold text-muted">{group}</h3>
          <dl>
            {rows(group).map(({ keys, does }) => {
              const off = !singles && !/Mod|F6|Escape/.test(keys);
              return (
                <div key={keys} className="flex min-h-7 items-center justify-between gap-3">
                  <dt className={off ? 'text-muted line-through' : ''}>{does}{off && <span className="sr-only"> (switched off)</span>}</dt>
                  <dd><Kbd>{spoken(keys)}</Kbd></dd>
                </div>
              );
            })}
          </dl>
        </section>
      ))}
    </div>
  );
}
