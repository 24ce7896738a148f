/** Times that people name, in the agent's own time zone. Never in the past. */
export function presets(now: Date): readonly { label: string; at: Date }[] {
  const hour = (days: number, at: number): Date => new Date(now.getFullYear(), now.getMonth(), now.getDate() + days, at);
  const out: { label: string; at: Date }[] = [{ label: 'In one hour', at: new Date(now.getTime() + 3_600_000) }];
  if (now.getHours() < 16) out.push({ label: 'Later today', at: new Date(Math.max(hour(0, 17).getTime(), now.getTime() + 3 * 3_600_000)) });
  out.push({ label: 'Tomorrow morning', at: hour(1, 9) });
  const toMonday = ((8 - now.getDay()) % 7) || 7;
  if (toMonday > 1) out.push({ label: 'Monday morning', at: hour(toMonday, 9) });
  out.push({ label: 'In a week', at: hour(7, 9) });
  return out;
}

const days = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];

/** Reads "tue 9am", "tomorrow 14:30", "3 days", "2h". Undefined when it means no time to come within 366 days. */
export function parse(text: string, now: Date): Date | undefined {
  const words = text.trim().toLowerCase();
  const span = /^(?:in\s+)?(\d{1,3})\s*(m|min|minutes?|h|hours?|d|days?|w|weeks?)$/.exec(words);
  if (span) {
    const unit = { m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 }[span[2]![0] as 'm' | 'h' | 'd' | 'w'];
    return within(new Date(now.getTime() + Number(span[1]) * unit), now);
  }
  const day = /^(today|tomorrow|sun|mon|tue|wed|thu|fri|sat)[a-z]*\.?(?:\s+|$)/.exec(words);
  const time = /(?:^|\s)(\d{1,2})(?::(\d{2}))?\s*(am|pm)?$/.exec(words);
  if (!day && !time) return undefined;
  let hours = time ? Number(time[1]) : 9;
  if (time?.[3] === 'pm' && hours < 12) hours += 12;
  if (time?.[3] === 'am' && hours === 12) hours = 0;
  const minutes = time?.[2] ? Number(time[2]) : 0;
  if (hours > 23 || minutes > 59) return undefined;
  let ahead = 0;
  if (day?.[1] === 'tomorrow') ahead = 1;
  else if (day && day[1] !== 'today') ahead = (days.indexOf(day[1]!) - now.getDay() + 7) % 7 || 7;
  const at = new Date(now.getFullYear(), now.getMonth(), now.getDate() + ahead, hours, minutes);
  if (!day && at <= now) at.setDate(at.getDate() + 1);
  return within(at, now);
}

const within = (at: Date, now: Date): Date | undefined =>
  at > now && at.getTime() - now.getTime() <= 366 * 86_400_000 ? at : undefined;
