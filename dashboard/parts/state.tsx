type MessageProps = {
  readonly title: string;
  readonly text?: string;
  readonly action?: string;
  readonly onAction?: () => void;
  readonly link?: { readonly href: string; readonly text: string };
};

/** A whole page with little to say: nothing here, not found, failed. */
export function Message({ title, text, action, onAction, link }: MessageProps) {
  return (
    <div class="message">
      <h1 tabIndex={-1}>{title}</h1>
      {text && <p>{text}</p>}
      {action && (
        <button type="button" class="button" onClick={onAction}>
          {action}
        </button>
      )}
      {link && <a href={link.href}>{link.text}</a>}
    </div>
  );
}
