/** A wait by a clock that may be set. Set back to before the wait began, it ends it: nobody knows how long it has been. */
export interface Wait {
  from: number;
  until: number;
}

export const OVER: Wait = { from: 0, until: 0 };

export const waitFrom = (now: number, ms: number): Wait => ({ from: now, until: now + ms });

export const isOver = ({ from, until }: Wait, now: number): boolean => now < from || now >= until;
