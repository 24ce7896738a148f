import { create } from '@bufbuild/protobuf';
import { AttachmentSchema, type Attachment } from '../gen/weftline/inbox/v1/types_pb';
import { toLogin } from './client';
import { largestFile } from './limits';

/** What the hub said, which a proxy before it may have said otherwise. */
async function words(answer: Response): Promise<string> {
  try {
    return ((await answer.json()) as { message?: string }).message ?? '';
  } catch {
    return '';
  }
}

/** Stores a file for a later SendReply. Rejects with words for people. */
export async function upload(file: File, signal?: AbortSignal): Promise<Attachment> {
  if (file.size > largestFile) throw new Error(`${file.name} is larger than 25 MB.`);
  const form = new FormData();
  form.append('file', file, file.name);
  const answer = await fetch('/api/attachments', { method: 'POST', body: form, signal });
  if (answer.status === 401) toLogin();
  if (!answer.ok) throw new Error(`${file.name}: ${(await words(answer)).replace(/^file: /, '').trim() || `could not be uploaded (${answer.status})`}`);
  const stored = (await answer.json()) as { id: string; name?: string; contentType?: string; size?: number | string };
  return create(AttachmentSchema, {
    id: stored.id,
    name: stored.name ?? file.name,
    contentType: stored.contentType ?? file.type,
    size: BigInt(stored.size ?? file.size),
  });
}
