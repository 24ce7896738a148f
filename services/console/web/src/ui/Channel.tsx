import { AtSign, Brackets, Camera, Gamepad2, Hash, Mail, Megaphone, MessageCircle, MessageCircleMore, MessagesSquare, MessageSquareText, Phone, PlugZap, Send, Smartphone } from 'lucide-react';
import type { LucideIcon } from 'lucide-react';
import { cx } from './cx';

/** Channels and the kinds of handles, by name. */
export const channelSigns: Record<string, { icon: LucideIcon; label: string; tint: string }> = {
  email: { icon: Mail, label: 'Email', tint: 'text-email' },
  chat: { icon: MessageCircle, label: 'Chat', tint: 'text-chat' },
  sms: { icon: MessageSquareText, label: 'SMS', tint: 'text-phone' },
  whatsapp: { icon: Smartphone, label: 'WhatsApp', tint: 'text-phone' },
  messenger: { icon: MessagesSquare, label: 'Messenger', tint: 'text-chat' },
  instagram: { icon: Camera, label: 'Instagram', tint: 'text-chat' },
  telegram: { icon: Send, label: 'Telegram', tint: 'text-phone' },
  line: { icon: MessageCircleMore, label: 'LINE', tint: 'text-phone' },
  slack: { icon: Hash, label: 'Slack', tint: 'text-chat' },
  discord: { icon: Gamepad2, label: 'Discord', tint: 'text-chat' },
  matrix: { icon: Brackets, label: 'Matrix', tint: 'text-chat' },
  mastodon: { icon: Megaphone, label: 'Mastodon', tint: 'text-email' },
  api: { icon: PlugZap, label: 'API channel', tint: 'text-muted' },
  phone: { icon: Phone, label: 'Phone', tint: 'text-phone' },
};

export const channelName = (channel: string): string =>
  channelSigns[channel]?.label ?? (channel ? channel[0]!.toUpperCase() + channel.slice(1) : 'Unknown channel');

/** The channel's sign. Always beside or instead of its name, never colour alone. */
export function ChannelIcon({ channel, size = 14, named }: { channel: string; size?: number; named?: boolean }) {
  const { icon: Icon, tint } = channelSigns[channel] ?? { icon: AtSign, tint: 'text-muted' };
  return (
    <span className={cx('inline-flex items-center gap-1', tint)}>
      <Icon size={size} aria-hidden className="shrink-0" />
      {named ? channelName(channel) : <span className="sr-only">{channelName(channel)}</span>}
    </span>
  );
}
