// The wire, as protocol.md has it.

export interface FileItem { id: string; name: string; type: string; size: number }

export interface Item {
  id?: string
  position?: string
  from: 'us' | 'you'
  name?: string
  text?: string
  files?: FileItem[]
  at: string
  client_id?: string
  state?: string
}

export interface FormFrame { fields: { name: string; required?: boolean }[]; question?: string; consent?: string }
export interface Answers { name?: string; email?: string; phone?: string; question?: string; consent?: boolean }
export interface Hours { open: boolean; until?: string; text?: string }

export interface Welcome {
  type: 'welcome'
  token: string
  who: string
  reset?: boolean
  name: string
  greeting?: string
  identity: string
  login?: { name?: string; expires_at: string }
  email_capture?: boolean
  prove?: boolean
  mail?: boolean
  mail_to?: string
  sms?: boolean
  sms_to?: string
  sms_like?: string
  form?: FormFrame
  hours?: Hours
  heartbeat_s: number
  ticket: string
}

export interface Proof { type: 'proof'; id: string; state: 'sent' | 'wrong' | 'over' | 'proven'; to?: string; tries_left?: number }

export type ServerFrame =
  | Proof
  | Welcome
  | { type: 'message'; message: Item }
  | { type: 'messages'; items: Item[]; cursor: string; done: boolean }
  | { type: 'ack'; client_id: string }
  | { type: 'typing'; typing: boolean; name?: string }
  | { type: 'hours'; hours: Hours }
  | { type: 'transcript'; to: string; messages: number }
  | { type: 'error'; code: string; field?: string; limit?: number; example?: string; client_id?: string; retry_after_ms?: number }
  | { type: 'ping' }
  | { type: 'bye'; retry_after_ms: number }

export type ClientFrame =
  | { type: 'hello'; lang: string; token?: string; who?: string; after?: string; jwt?: string }
  | { type: 'message'; client_id: string; text: string; attachments?: string[]; invite?: string }
  | ({ type: 'form'; client_id: string } & Answers)
  | { type: 'email'; client_id: string; address: string }
  | { type: 'phone'; client_id: string; phone: string }
  | { type: 'prove'; address: string }
  | { type: 'prove'; phone: string }
  | { type: 'code'; id: string; code: string }
  | { type: 'transcript' }
  | { type: 'typing'; typing: boolean }
  | { type: 'read' | 'delivered'; position: string }
