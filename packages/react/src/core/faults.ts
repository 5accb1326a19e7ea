/** Receives what no component can handle, such as an error thrown by a handler. */
export type FaultHandler = (error: unknown) => void;

/** Where faults go: to a handler, else they become uncaught errors. */
export class Faults {
  constructor(public handler: FaultHandler | undefined) {}

  report(error: unknown): void {
    try {
      if (this.handler) return this.handler(error);
    } catch (another) {
      throwLater(another);
    }
    throwLater(error);
  }

  /** Calls back so that an error stops neither us nor the next callback. */
  guard(callback: () => void): void {
    try {
      callback();
    } catch (error) {
      this.report(error);
    }
  }
}

function throwLater(error: unknown): void {
  setTimeout(() => {
    throw error;
  });
}
