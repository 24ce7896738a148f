import { Inbox, KeyRound, Repeat, ScrollText, ShieldOff, SlidersHorizontal, Users } from 'lucide-react';

const pages = [
  { to: '/settings/inboxes', label: 'Inboxes', icon: Inbox, owners: false },
  { to: '/settings/agents', label: 'Agents', icon: Users, owners: false },
  { to: '/settings/tokens', label: 'API tokens', icon: KeyRound, owners: true },
  { to: '/settings/audit', label: 'Audit log', icon: ScrollText, owners: true },
  { to: '/settings/privacy', label: 'Privacy', icon: ShieldOff, owners: false },
  { to: '/settings/repeats', label: 'Repeats', icon: Repeat, owners: false },
  { to: '/settings/mine', label: 'My console', icon: SlidersHorizontal, owners: false },
] as const;

/** The pages of the settings that somebody can use: what the hub tells owners alone is offered to them alone. */
export const pagesFor = (owner: boolean) => pages.filter((page) => owner || !page.owners);
