/**
 * Messages of the day: what the keyserver's operator has to say to everyone. Plain text under the header, each until it is
 * dismissed; more than two are folded. The list is a live region that is always there, so that a message is read
 * out when it comes, and only then.
 */
import type { EngineControl } from '../client/snapshot.ts';
import { texts } from './texts.ts';

const shown = 2;

interface Props {
  messages: string[];
  engine: EngineControl;
}

export function Messages({ messages, engine }: Props) {
  const folded = messages.slice(shown);
  return (
    <div class="messages" role="log" aria-label={texts.messages} data-testid="messages">
      <MessageList messages={messages.slice(0, shown)} engine={engine} />
      {folded.length > 0 && (
        <details>
          <summary>{texts.moreMessages(folded.length)}</summary>
          <MessageList messages={folded} engine={engine} />
        </details>
      )}
    </div>
  );
}

function MessageList({ messages, engine }: Props) {
  if (messages.length === 0) return null;
  return (
    <ul>
      {messages.map((message) => (
        <li key={message} class="note">
          <p>{message}</p>
          <button
            type="button"
            class="dismiss"
            aria-label={texts.dismiss(message)}
            title={texts.dismissShort}
            onClick={({ currentTarget }) => {
              focusAfter(currentTarget);
              engine.dismiss(message);
            }}
          >
            <svg viewBox="0 0 20 20" width="20" height="20" aria-hidden="true">
              <path d="M5 5l10 10M15 5L5 15" />
            </svg>
          </button>
        </li>
      ))}
    </ul>
  );
}

/** The button is about to go; the focus goes to the next one, or to the page below, not back to its very top. */
function focusAfter(button: HTMLElement): void {
  const buttons = [...document.querySelectorAll<HTMLElement>('.dismiss')];
  const place = buttons.indexOf(button);
  const next = buttons[place + 1] ?? buttons[place - 1] ?? document.querySelector<HTMLElement>('main');
  next?.focus();
}
