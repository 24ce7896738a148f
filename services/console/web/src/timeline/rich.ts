/** True when a mail's HTML says more than its plain text: then it gets a frame of its own. Our own paragraphs say nothing more. */
export const isRich = (html: string): boolean =>
  /<(img|table|ul|ol|li|h[1-6]|blockquote|pre|code|b|strong|i|em|u|s|font|style|hr|picture|details)\b|\sstyle\s*=|\sdata-remote-src/i.test(html.replaceAll(/<p style="margin:\s*0(?:px)?;?">/gi, '<p>'));
