import { useNavigate } from '@tanstack/react-router';
import { Command } from 'cmdk';
import { Dialog } from 'radix-ui';
import { ArrowRight, Keyboard, Moon, Search, Sun } from 'lucide-react';
import { useState, type ReactNode } from 'react';
import { available, perform } from '../keyboard/actions';
import { bindings, spoken } from '../keyboard/keymap';
import { called } from '../person/called';
import { useHits } from '../search/hits';
import { Snippet } from '../search/Snippet';
import { prefer } from '../shell/preferences';
import { ChannelIcon } from '../ui/Channel';
import { When } from '../ui/When';

const skipped = new Set(['palette', 'next-pane', 'previous-pane', 'back', 'open', 'help']);

/** Any action, and anything that was said. */
export function Palette({ onClose, onOver }: { onClose(): void; onOver(over: 'keys' | undefined): void }) {
  const [words, setWords] = useState('');
  const navigate = useNavigate();
  const { data } = useHits(words, 8);
  const wanted = words.trim().toLowerCase();
  const fits = (text: string): boolean => wanted.split(/\s+/).every((word) => text.toLowerCase().includes(word));
  const run = (what: () => void): void => {
    onClose();
    // After the dialog gave the focus back: an action may want it elsewhere.
    setTimeout(what, 0);
  };
  const actions = bindings.filter((b) => !skipped.has(b.action) && available(b.action) && fits(b.does));
  const hits = wanted.length >= 2 ? data?.hits ?? [] : [];
  return (
    <Dialog.Root open onOpenChange={(open) => !open && onClose()}>
      <Dialog.Portal>
        <Dialog.Overlay className="fixed inset-0 z-40 bg-black/45" />
        <Dialog.Content aria-describedby={undefined} className="fixed inset-x-3 top-[12vh] z-50 mx-auto max-w-xl overflow-hidden rounded-2xl border bg-raised shadow-pop motion-safe:animate-[rise_.12s_ease-out]">
          <Dialog.Title className="sr-only">Commands and search</Dialog.Title>
          <Command shouldFilter={false} loop label="Commands and search">
            <div className="flex items-center gap-2 border-b px-4">
              <Search size={16} aria-hidden className="text-muted" />
              <Command.Input value={words} onValueChange={setWords} placeholder="What do you want to do or find?" className="min-h-12 flex-1 bg-transparent outline-none placeholder:text-muted" />
            </div>
            <Command.List className="scroll max-h-[56vh] p-1.5">
              <Command.Empty className="p-6 text-center text-muted">Nothing found.</Command.Empty>
              {hits.length > 0 && (
                <Command.Group heading={<Heading>Said</Heading>}>
                  {hits.map((hit) => hit.entry && (
                    <Item key={hit.entry.id} value={'hit ' + hit.entry.id} onSelect={() => run(() => void navigate({ to: '/c/$conversationId', params: { conversationId: hit.entry!.conversationId }, search: {} }))}>
                      <ChannelIcon channel={hit.entry.channel} size={15} />
                      <span className="min-w-0 flex-1"><b className="block truncate font-medium"><bdi>{called(hit.customerName, hit.entry.customerId)}</bdi></b><span className="block truncate text-[13px] text-muted"><Snippet text={hit.snippet} query={words} /></span></span>
                      <When at={hit.entry.recordedAt} className="text-xs text-muted" />
                    </Item>
                  ))}
                  <Item value="hit all" onSelect={() => run(() => void navigate({ to: '/search', search: { q: words.trim() } }))}><ArrowRight size={15} aria-hidden className="rtl:rotate-180" />All results for “{words.trim()}”</Item>
                </Command.Group>
              )}
              <Command.Group heading={<Heading>Commands</Heading>}>
                {actions.map((binding) => (
                  <Item key={binding.action} value={binding.action} onSelect={() => run(() => void perform(binding.action))}>
                    <span className="flex-1">{binding.does}</span><kbd className="text-xs text-muted">{spoken(binding.keys)}</kbd>
                  </Item>
                ))}
                {fits('keyboard shortcuts help') && <Item value="keys" onSelect={() => onOver('keys')}><span className="flex-1">Keyboard shortcuts</span><Keyboard size={15} aria-hidden className="text-muted" /></Item>}
                {fits('theme light') && <Item value="light" onSelect={() => run(() => prefer({ theme: 'light' }))}><span className="flex-1">Theme: light</span><Sun size={15} aria-hidden className="text-muted" /></Item>}
                {fits('theme dark') && <Item value="dark" onSelect={() => run(() => prefer({ theme: 'dark' }))}><span className="flex-1">Theme: dark</span><Moon size={15} aria-hidden className="text-muted" /></Item>}
              </Command.Group>
            </Command.List>
          </Command>
        </Dialog.Content>
      </Dialog.Portal>
    </Dialog.Root>
  );
}

function Heading({ children }: { children: string }) {
  return <span className="block px-2.5 pt-2 pb-1 text-xs font-semibold text-muted">{children}</span>;
}

function Item({ value, onSelect, children }: { value: string; onSelect(): void; children: ReactNode }) {
  return <Command.Item value={value} onSelect={onSelect} className="flex min-h-9 cursor-pointer items-center gap-2.5 rounded-lg px-2.5 py-1 data-[selected=true]:bg-select">{children}</Command.Item>;
}
