import { EditorContent, useEditor, useEditorState, type Editor as Tiptap } from '@tiptap/react';
import { Placeholder } from '@tiptap/extension-placeholder';
import { StarterKit } from '@tiptap/starter-kit';
import { Bold, Italic, Link2, List, ListOrdered, Quote } from 'lucide-react';
import { useEffect, useRef, useState, type ReactNode } from 'react';
import { createPortal } from 'react-dom';
import { perform } from '../keyboard/actions';
import { cx } from '../ui/cx';
import { toPlain, toSource, type Node } from './plain';

/** What the composer can do with the editor. */
export type Handle = { /** False once another editor has its place. */ alive(): boolean; focus(): void; set(source: string): void; /** Writes at the end, lines as paragraphs. */ add(text: string): void };

/** source: the editor's own form, for drafts. text: what is said. html: "" unless formatting is on. */
export type Written = { source: string; text: string; html: string };

type Props = {
  /** The draft as it is now. */
  initial(): string;
  rich: boolean;
  label: string;
  placeholder: string;
  onWrite(written: Written): void;
  onSend(andClose: boolean): void;
  onFiles(files: File[]): void;
  onReady(handle: Handle): void;
  onBlur(): void;
  /** Where the formatting buttons go. */
  tools: HTMLElement | null;
};

export function Editor(props: Props) {
  const latest = useRef(props);
  latest.current = props;
  const { rich, label, placeholder } = props;
  const editor = useEditor({
    extensions: [
      StarterKit.configure({
        heading: false, codeBlock: false, code: false, horizontalRule: false, dropcursor: false, gapcursor: false, strike: false, underline: false, trailingNode: false,
        ...(rich ? { link: { openOnClick: false, autolink: true, defaultProtocol: 'https' } } : { bold: false, italic: false, bulletList: false, orderedList: false, listItem: false, listKeymap: false, blockquote: false, link: false }),
      }),
      Placeholder.configure({ placeholder }),
    ],
    content: toSource(props.initial()),
    editorProps: {
      attributes: { class: 'rich px-3 py-2', role: 'textbox', 'aria-multiline': 'true', 'aria-label': label, dir: 'auto', spellcheck: 'true' },
      handleKeyDown: (_view, event) => {
        // The editor would keep Esc to itself: here it is the way out.
        if (event.key === 'Escape' && !event.isComposing) return perform('back');
        if (event.isComposing || event.key !== 'Enter' || !(event.ctrlKey || event.metaKey)) return false;
        latest.current.onSend(event.shiftKey);
        return true;
      },
      handlePaste: (_view, event) => {
        const files = [...(event.clipboardData?.files ?? [])];
        if (files.length === 0) return false;
        latest.current.onFiles(files);
        return true;
      },
      handleDrop: (_view, event) => {
        const files = [...(event.dataTransfer?.files ?? [])];
        if (files.length === 0) return false;
        event.preventDefault();
        latest.current.onFiles(files);
        return true;
      },
    },
    onUpdate: ({ editor: now }) => latest.current.onWrite(written(now, rich)),
    onBlur: () => latest.current.onBlur(),
  }, [rich, placeholder, label]);

  // Not when the editor is made: it is on the page only now, and takes no focus before.
  useEffect(() => {
    // On a slow machine this comes after the library has given an editor up that was not on the page in time; another follows.
    if (editor.isDestroyed) return;
    // What the hub told of the draft meanwhile found no editor to be shown in.
    const draft = toSource(latest.current.initial());
    if (draft !== (editor.isEmpty ? '' : editor.getHTML())) editor.commands.setContent(draft, { emitUpdate: false });
    if (!editor.isEmpty) latest.current.onWrite(written(editor, rich));
    latest.current.onReady(handleOf(editor, (now) => latest.current.onWrite(written(now, rich))));
  }, [editor, rich]);

  return (
    <>
      <EditorContent editor={editor} />
      {rich && editor && props.tools && createPortal(<Toolbar editor={editor} />, props.tools)}
    </>
  );
}

function handleOf(editor: Tiptap, onWrite: (editor: Tiptap) => void): Handle {
  return {
    alive: () => !editor.isDestroyed,
    // At once and not in the next frame: keys that follow belong to the text.
    focus: () => {
      if (editor.isDestroyed) return;
      editor.view.focus();
      editor.commands.setTextSelection(editor.state.doc.content.size);
    },
    add: (text) => {
      if (editor.isDestroyed || !text) return;
      const [first = '', ...lines] = text.split('\n');
      let chain = editor.chain().setTextSelection(editor.state.doc.content.size);
      if (first) chain = chain.insertContent({ type: 'text', text: first });
      for (const line of lines) {
        chain = chain.splitBlock();
        if (line) chain = chain.insertContent({ type: 'text', text: line });
      }
      chain.run();
    },
    set: (source) => {
      if (editor.isDestroyed) return;
      editor.commands.setContent(toSource(source), { emitUpdate: false });
      onWrite(editor);
    },
  };
}

function written(editor: Tiptap, rich: boolean): Written {
  if (editor.isEmpty) return { source: '', text: '', html: '' };
  const source = editor.getHTML();
  return { source, text: toPlain(editor.getJSON() as Node), html: rich ? source : '' };
}

function Toolbar({ editor }: { editor: Tiptap }) {
  const [linking, setLinking] = useState(false);
  const on = useEditorState({
    editor,
    selector: ({ editor: e }) => ({ bold: e.isActive('bold'), italic: e.isActive('italic'), bullets: e.isActive('bulletList'), numbers: e.isActive('orderedList'), quote: e.isActive('blockquote'), link: e.isActive('link') }),
  });
  const act = () => editor.chain().focus();
  const link = (address: string): void => {
    setLinking(false);
    if (!address) act().extendMarkRange('link').unsetLink().run();
    else if (editor.state.selection.empty && !on.link) act().insertContent({ type: 'text', text: address, marks: [{ type: 'link', attrs: { href: whole(address) } }] }).run();
    else act().extendMarkRange('link').setLink({ href: whole(address) }).run();
  };
  return (
    <div role="toolbar" aria-label="Formatting" className="flex flex-wrap items-center gap-0.5">
      <Tool label="Bold" on={on.bold} run={() => act().toggleBold().run()}><Bold size={15} aria-hidden /></Tool>
      <Tool label="Italic" on={on.italic} run={() => act().toggleItalic().run()}><Italic size={15} aria-hidden /></Tool>
      <Tool label="Bullets" on={on.bullets} run={() => act().toggleBulletList().run()}><List size={15} aria-hidden /></Tool>
      <Tool label="Numbers" on={on.numbers} run={() => act().toggleOrderedList().run()}><ListOrdered size={15} aria-hidden /></Tool>
      <Tool label="Quote" on={on.quote} run={() => act().toggleBlockquote().run()}><Quote size={15} aria-hidden /></Tool>
      <Tool label="Link" on={on.link} run={() => setLinking(!linking)}><Link2 size={15} aria-hidden /></Tool>
      {linking && (
        <input
          autoFocus
          aria-label="Address of the link"
          placeholder="https://… then Enter"
          defaultValue={String(editor.getAttributes('link').href ?? '')}
          className="field min-h-7! w-56 py-0! text-[13px]"
          onKeyDown={(event) => {
            if (event.key === 'Enter') { event.preventDefault(); link(event.currentTarget.value.trim()); }
            if (event.key === 'Escape') { event.stopPropagation(); setLinking(false); editor.commands.focus(); }
          }}
        />
      )}
    </div>
  );
}

const whole = (address: string): string => (/^[a-z][a-z0-9+.-]*:/i.test(address) ? address : /^\S+@\S+$/.test(address) ? 'mailto:' + address : 'https://' + address);

function Tool({ label, on, run, children }: { label: string; on: boolean; run(): void; children: ReactNode }) {
  return (
    <button type="button" aria-label={label} title={label} aria-pressed={on} onMouseDown={(event) => event.preventDefault()} onClick={run} className={cx('grid size-7 place-items-center rounded-md hover:bg-ink/7', on ? 'bg-ink/10 text-ink' : 'text-muted')}>
      {children}
    </button>
  );
}
