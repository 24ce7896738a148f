/** A quiet round with initials. Decoration: the name stands beside it. of: whose it is, when others may have the same name. */
export function Avatar({ name, of = name, size = 32 }: { name: string; of?: string; size?: number }) {
  const letters = [...name.matchAll(/\p{L}|\p{N}/gu)].length === 0 ? '·' : initials(name);
  const hue = [...of].reduce((sum, c) => (sum * 31 + c.codePointAt(0)!) % 360, 7);
  return (
    <span
      aria-hidden
      data-letters={letters}
      className="grid before:content-[attr(data-letters)] shrink-0 place-items-center rounded-full font-semibold text-white select-none"
      style={{ width: size, height: size, fontSize: size * 0.38, background: `oklch(46% 0.075 ${hue})` }}
    />
  );
}

function initials(name: string): string {
  const words = name.replace(/@.*/, '').split(/[\s._-]+/).filter((word) => /\p{L}|\p{N}/u.test(word));
  const first = [...(words[0] ?? '')][0] ?? '';
  const last = words.length > 1 ? [...words[words.length - 1]!][0]! : '';
  return (first + last).toUpperCase();
}
