/** One line of an inbox's form. The keys are those of the channel's documented settings. */
export type SettingField = {
  key: string;
  label: string;
  help?: string;
  secret?: boolean;
  required?: boolean;
  fallback?: string;
  values?: readonly (readonly [value: string, label: string])[];
  /** Shown only on demand. */
  rare?: boolean;
  many?: boolean;
};

export type SettingGroup = { title: string; fields: readonly SettingField[] };

const encryption = [['implicit', 'TLS'], ['starttls', 'STARTTLS'], ['none', 'None (this machine only)']] as const;

const email: readonly SettingGroup[] = [
  { title: 'Address', fields: [
    { key: 'address', label: 'Address', help: 'The mailbox’s own address, and the sender of answers.', required: true },
    { key: 'from_name', label: 'Sender’s name', help: 'Shown to customers beside the agent’s name. Empty: the inbox’s name.' },
    { key: 'aliases', label: 'Other addresses', help: 'More addresses whose mail arrives here, separated by commas.', rare: true },
  ] },
  { title: 'Mail in (IMAP)', fields: [
    { key: 'imap_host', label: 'Server', help: 'Empty: this inbox only sends.' },
    { key: 'imap_tls', label: 'Encryption', fallback: 'implicit', values: encryption },
    { key: 'imap_port', label: 'Port', help: 'Empty: 993 with TLS, else 143.' },
    { key: 'imap_username', label: 'User', help: 'Empty: the address.' },
    { key: 'imap_password', label: 'Password', secret: true },
    { key: 'imap_since', label: 'First start', fallback: 'all', values: [['all', 'Take in what is in the mailbox'], ['now', 'Only what arrives from now on']] },
    { key: 'imap_folders', label: 'Folders', help: 'Separated by commas.', fallback: 'INBOX', rare: true },
    { key: 'imap_seen', label: 'Mark mails as seen', fallback: 'no', values: [['no', 'No'], ['yes', 'Yes, once they are safe']], rare: true },
    { key: 'imap_poll', label: 'Look for new mail every', help: '10s to 1h, where the server cannot tell by itself.', fallback: '1m', rare: true },
  ] },
  { title: 'Mail out (SMTP)', fields: [
    { key: 'smtp_host', label: 'Server', help: 'Empty: this inbox cannot answer.' },
    { key: 'smtp_tls', label: 'Encryption', fallback: 'implicit', values: encryption },
    { key: 'smtp_port', label: 'Port', help: 'Empty: 465 with TLS, else 587.' },
    { key: 'smtp_username', label: 'User', help: 'Empty: the address, when a password is given.' },
    { key: 'smtp_password', label: 'Password', secret: true },
    { key: 'smtp_plaintext', label: 'Allow plaintext to another machine', fallback: 'no', values: [['no', 'No'], ['yes', 'Yes: mail and password travel unencrypted']], rare: true },
    { key: 'smtp_wait', label: 'Wait for the server’s receipt', help: '5s to 15m.', fallback: '10m', rare: true },
  ] },
];

const chat: readonly SettingGroup[] = [
  { title: 'Widget', fields: [
    { key: 'greeting', label: 'Greeting', help: 'First line shown to a visitor.', fallback: 'Hello! How can we help?' },
    { key: 'colour', label: 'Colour', help: 'Of the button, as #rrggbb.', fallback: '#2f5bea' },
    { key: 'allowed_origins', label: 'Allowed sites', help: 'Origins whose pages may show the widget, such as https://shop.example, separated by spaces. Empty: only the hub’s own host.' },
    { key: 'offline_email_capture', label: 'Ask for an email address', fallback: 'on', values: [['on', 'Yes, so an answer can follow'], ['off', 'No']] },
  ] },
  { title: 'Who the visitor is', fields: [
    { key: 'identity', label: 'Login', fallback: 'optional', values: [['anonymous', 'Anonymous: no logins'], ['optional', 'Optional: a signed login is taken when given'], ['required', 'Required: nothing without a signed login']] },
    { key: 'jwt_keys', label: 'Login keys', help: 'One per line: key id, algorithm (HS256, EdDSA, ES256) and secret, separated by colons.', secret: true, many: true, rare: true },
  ] },
];

/** An id for a new inbox, made of its name: it stands in addresses, so it should be readable. Never one of taken. */
export function idOf(name: string, channel: string, taken: ReadonlySet<string>): string {
  const plain = name.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase();
  const base = plain.replace(/[^a-z0-9]+/g, '-').replace(/^-+|-+$/g, '').slice(0, 40).replace(/-+$/, '') || channel;
  if (!taken.has(base)) return base;
  let n = 2;
  while (taken.has(`${base}-${n}`)) n++;
  return `${base}-${n}`;
}

/** The form of a channel; for a channel this page does not know, whatever settings are there. */
export function formOf(channel: string, settings: Readonly<Record<string, string>>): readonly SettingGroup[] {
  const known = channel === 'email' ? email : channel === 'chat' ? chat : [];
  const named = new Set(known.flatMap((group) => group.fields.map((field) => field.key)));
  const others = Object.keys(settings).filter((key) => !named.has(key)).sort();
  if (others.length === 0) return known;
  return [...known, { title: known.length > 0 ? 'More' : 'Settings', fields: others.map((key) => ({ key, label: key, rare: known.length > 0 })) }];
}
