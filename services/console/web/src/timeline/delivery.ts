import { DeliveryState } from '../gen/weftline/inbox/v1/types_pb';

type Face = { label: string; plain: string; tone: 'quiet' | 'good' | 'warn' | 'bad'; retry: boolean };

/** What a delivery state means for an agent. */
export const faces: Record<DeliveryState, Face> = {
  [DeliveryState.UNSPECIFIED]: { label: '', plain: '', tone: 'quiet', retry: false },
  [DeliveryState.QUEUED]: { label: 'Queued', plain: 'The hub has it and hands it to the channel next.', tone: 'quiet', retry: false },
  [DeliveryState.RETRYING]: { label: 'Retrying', plain: 'The channel refused for now. The hub tries again by itself.', tone: 'warn', retry: false },
  [DeliveryState.UNKNOWN]: { label: 'Unknown', plain: 'It is not known whether the channel took it. Sending again may show it twice.', tone: 'warn', retry: true },
  [DeliveryState.SENT]: { label: 'Sent', plain: 'The channel accepted it.', tone: 'quiet', retry: false },
  [DeliveryState.DELIVERED]: { label: 'Delivered', plain: 'It reached the customer.', tone: 'good', retry: false },
  [DeliveryState.READ]: { label: 'Read', plain: 'The customer has seen it.', tone: 'good', retry: false },
  [DeliveryState.FAILED]: { label: 'Failed', plain: 'It did not reach the customer.', tone: 'bad', retry: true },
};

/** What a message's flag means; flags that need no words are missing. */
export const flagWords: Record<string, { label: string; plain: string; tone: 'quiet' | 'warn' | 'bad' }> = {
  auto_reply: { label: 'Auto-reply', plain: 'Sent by a machine, for example an out-of-office.', tone: 'quiet' },
  bounce: { label: 'Bounce', plain: 'A mail server says that something could not be delivered.', tone: 'bad' },
  list: { label: 'Mailing list', plain: 'Sent to a list or in bulk.', tone: 'quiet' },
  third_party: { label: 'Third party', plain: 'Written by somebody else than the customer of this conversation, who was copied in or took part in the thread.', tone: 'warn' },
  unparsed: { label: 'Could not be read', plain: 'Download the original to see it.', tone: 'bad' },
  masked: { label: 'Masked', plain: 'Card numbers or secrets were taken out before it was stored. The original is not kept.', tone: 'quiet' },
  late: { label: 'Came late', plain: 'It arrived after the address had moved on.', tone: 'warn' },
  unverified: { label: 'Unverified', plain: 'It is not certain who wrote this. Check before you act on it.', tone: 'warn' },
  name_is_address: { label: 'Name is another address', plain: 'The name the sender gave himself is another mail address than the one he wrote from. Look at the address itself.', tone: 'warn' },
  sender_differs: { label: 'Sent by another domain', plain: 'The mail names a sender of another domain than the address it claims to be from. Newsletters do that; so do forgers.', tone: 'warn' },
  mixed_script: { label: 'Look-alike letters', plain: 'The address mixes letters of several scripts, as forgers do to imitate another one.', tone: 'warn' },
  forwarded: { label: 'Forwarded', plain: 'The sender passes on what somebody else wrote, and only he says who that was. Your reply goes to the sender.', tone: 'quiet' },
  signed: { label: 'Signed', plain: 'It carries a signature (S/MIME or PGP). Weftline does not check it: the signature says nothing here about who wrote it.', tone: 'quiet' },
  encrypted: { label: 'Encrypted', plain: 'It, or a part of it, is encrypted and cannot be read here. Download the original and open it where the key is.', tone: 'warn' },
  imported: { label: 'Imported', plain: 'It came from another system. Nobody checked here who wrote it.', tone: 'quiet' },
  erased: { label: 'Erased', plain: 'Its content was erased. It cannot be had back.', tone: 'quiet' },
  to_refuted: { label: 'Sent anyway', plain: 'The sender of the message answered does not own the address. Whoever sent this reply was told, and insisted. It is in the audit log.', tone: 'warn' },
  automatic: { label: 'Automatic', plain: 'Sent by Weftline itself.', tone: 'quiet' },
};

/** How sure we are of an address, 0 to 4. */
export const assurances = [
  { label: 'Claimed', plain: 'Only claimed: typed by somebody, or named by a sender who was found not to own it.' },
  { label: 'Observed', plain: 'The sender’s address, not proven by the channel.' },
  { label: 'Attested', plain: 'The channel vouches for it.' },
  { label: 'Proven', plain: 'Proven by a code or a signed link.' },
  { label: 'Signed in', plain: 'Asserted by your own login.' },
] as const;
