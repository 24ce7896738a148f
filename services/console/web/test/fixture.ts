import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { ConversationSchema, DeliveryState, Direction, Status, TimelineEntrySchema, type Conversation, type TimelineEntry } from '../src/gen/weftline/inbox/v1/types_pb';
import { EventSchema, type Event } from '../src/gen/weftline/realtime/v1/frame_pb';

export const t0 = Date.UTC(2026, 10, 3, 9, 0);

export const conversation = (n: number, more: MessageInitShape<typeof ConversationSchema> = {}): Conversation =>
  create(ConversationSchema, { id: 'v' + n, customerId: 'c' + n, status: Status.OPEN, version: 1n, lastAt: timestampFromMs(t0 + n), ...more });

type Body = MessageInitShape<typeof TimelineEntrySchema>['body'];

export const entry = (n: number, body?: Body, customer = 1): TimelineEntry =>
  create(TimelineEntrySchema, {
    id: `c${customer}e${n}`, customerId: 'c' + customer, conversationId: 'v' + customer, position: String(n).padStart(8, '0'), recordedAt: timestampFromMs(t0 + n * 1000), channel: 'email',
    body: body ?? { case: 'message', value: { direction: Direction.INBOUND, text: 'words ' + n } },
  });

export const reply = (n: number, text = 'answer'): TimelineEntry =>
  entry(n, { case: 'message', value: { direction: Direction.OUTBOUND, text, author: 'a1', delivery: DeliveryState.QUEUED } });

export const delivered = (n: number, of: string, state: DeliveryState): TimelineEntry => entry(n, { case: 'delivery', value: { entryId: of, state } });

export const event = (n: number, of: TimelineEntry, row?: Conversation): Event =>
  create(EventSchema, { cursor: 'k' + n, entry: of, ...(row ? { conversation: row } : {}) });
