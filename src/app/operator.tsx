/**
 * What the operator's pages share: the administration token, which stays in this tab, an answer that needs it, and what is said
 * where none comes.
 */
import './operator.css';
import type { ComponentChildren } from 'preact';
import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import type { Static, TSchema } from 'typebox';
import { Check } from 'typebox/value';
import { AdminToken } from '../protocol/administration.ts';
import { formatClock } from './format.ts';
import { operatorTexts as t } from './operator-texts.ts';
import { texts } from './texts.ts';

const AGAIN_MS = 30_000;
const KEPT_TOKEN = 'tabherd-admin-token';

/** `detail`: the keymaster's own sentence, where it refused something. */
export type AdminTrouble =
  | 'wrong-token'
  | 'no-administration'
  | 'away'
  | 'unreadable'
  | { status: number; detail?: string };

interface Props<T extends TSchema> {
  /** Names the page to tests. */
  testid: string;
  head: ComponentChildren;
  /** On the button under the token. */
  show: string;
  /** What is asked for, below /admin/v1/, and what it answers. */
  path: string;
  schema: T;
  children: (value: Static<T>, admin: Admin) => ComponentChildren;
}

/** For what a page changes. */
export interface Admin {
  /** Asks anew for what the page shows. */
  again: () => Promise<void>;
  call: <A extends TSchema>(
    schema: A,
    method: 'POST' | 'PATCH',
    path: string,
    body: unknown,
  ) => Promise<AdminAnswer<A>>;
}

type AdminAnswer<T extends TSchema> = { value: Static<T> } | { trouble: AdminTrouble };

export function Operator<T extends TSchema>({ testid, head, show, path, schema, children }: Props<T>) {
  const [token, setToken] = useState(keptToken);
  const [told, setTold] = useState<{ value: Static<T>; at: number } | undefined>(undefined);
  const [trouble, setTrouble] = useState<AdminTrouble | undefined>(undefined);
  const latest = useRef(token);
  latest.current = token;

  const ask = useCallback(async (): Promise<void> => {
    if (token === '') return;
    const answer = await callAdmin(token, schema, 'GET', path);
    if (latest.current !== token) return;
    if ('value' in answer) {
      setTold({ value: answer.value, at: Date.now() });
      setTrouble(undefined);
      return;
    }
    setTrouble(answer.trouble);
    if (answer.trouble !== 'wrong-token') return;
    keepToken('');
    setToken('');
    setTold(undefined);
  }, [token, path, schema]);

  useEffect(() => {
    void ask();
    const timer = setInterval(() => {
      if (!document.hidden) void ask();
    }, AGAIN_MS);
    return () => clearInterval(timer);
  }, [ask]);

  const admin: Admin = { again: ask, call: (answer, method, at, body) => callAdmin(token, answer, method, at, body) };
  return (
    <main tabIndex={-1} data-testid={testid} data-loaded={told !== undefined}>
      <section class="section">
        <div class="section-body operator-head">{head}</div>
      </section>
      <section class="section">
        <div class="section-body operator">
          <div role="status" data-testid={`${testid}-trouble`}>
            {trouble !== undefined && (
              <div class="condition">
                <p>
                  {troubleText(trouble)} {told !== undefined && t.keptSince(formatClock(told.at))}
                </p>
                {token !== '' && (
                  <button type="button" class="quiet" onClick={() => void ask()}>
                    {texts.tryAgain}
                  </button>
                )}
              </div>
            )}
          </div>
          {token === '' ? (
            <TokenForm
              show={show}
              onToken={(given) => {
                keepToken(given);
                setTrouble(undefined);
                setToken(given);
              }}
            />
          ) : told === undefined ? (
            trouble === undefined && <p class="muted">{t.loading}</p>
          ) : (
            children(told.value, admin)
          )}
          {token !== '' && (
            <p>
              <button
                type="button"
                class="quiet"
                onClick={() => {
                  keepToken('');
                  setToken('');
                  setTold(undefined);
                  setTrouble(undefined);
                }}
              >
                {t.forget}
              </button>
            </p>
          )}
        </div>
      </section>
    </main>
  );
}

async function callAdmin<T extends TSchema>(
  token: string,
  schema: T,
  method: 'GET' | 'POST' | 'PATCH',
  path: string,
  body?: unknown,
): Promise<AdminAnswer<T>> {
  try {
    const response = await fetch(`/admin/v1/${path}`, {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      cache: 'no-store',
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (response.status === 401) return { trouble: 'wrong-token' };
    if (response.status === 404 && method === 'GET') return { trouble: 'no-administration' };
    if (response.status === 503) return { trouble: 'away' };
    const json: unknown = await response.json();
    const { status } = response;
    if (!response.ok) return { trouble: { status, detail: (json as { detail?: string }).detail ?? '' } };
    return Check(schema, json) ? { value: json } : { trouble: 'unreadable' };
  } catch {
    return { trouble: 'away' };
  }
}

export function troubleText(trouble: AdminTrouble): string {
  if (trouble === 'wrong-token') return t.wrongToken;
  if (trouble === 'no-administration') return t.noAdministration;
  if (trouble === 'unreadable') return t.unreadable;
  if (trouble === 'away') return t.away;
  return trouble.detail === undefined || trouble.detail === '' ? t.odd(trouble.status) : trouble.detail;
}

function TokenForm({ show, onToken }: { show: string; onToken: (token: string) => void }) {
  const [given, setGiven] = useState('');
  const [fault, setFault] = useState('');
  const field = useRef<HTMLInputElement>(null);
  return (
    <form
      class="operator-form"
      onSubmit={(event) => {
        event.preventDefault();
        const token = given.trim();
        if (Check(AdminToken, token)) return onToken(token);
        setFault(t.tokenForm);
        field.current?.focus();
      }}
    >
      <label for="operator-token">{t.token}</label>
      <input
        ref={field}
        id="operator-token"
        type="password"
        autocomplete="off"
        spellcheck={false}
        value={given}
        aria-invalid={fault !== ''}
        aria-describedby="operator-fault operator-hint"
        onInput={({ currentTarget }) => {
          setGiven(currentTarget.value);
          setFault('');
        }}
      />
      <p id="operator-fault" class="operator-fault" role="status">
        {fault}
      </p>
      <p id="operator-hint" class="muted">
        <small>{t.tokenHint}</small>
      </p>
      <button type="submit" class="run">
        {show}
      </button>
    </form>
  );
}

function keptToken(): string {
  try {
    return sessionStorage.getItem(KEPT_TOKEN) ?? '';
  } catch {
    return '';
  }
}

function keepToken(token: string): void {
  try {
    if (token === '') sessionStorage.removeItem(KEPT_TOKEN);
    else sessionStorage.setItem(KEPT_TOKEN, token);
  } catch {
    // It is asked for again after a reload.
  }
}
