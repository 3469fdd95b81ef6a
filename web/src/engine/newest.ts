/** One thing at a time, and of those that wait only the newest. */

interface Waiting<Item, Result> {
  readonly item: Item;
  readonly resolve: (result: Result | null) => void;
  readonly reject: (error: unknown) => void;
}

/** Handles items one by one; an item that a newer one overtakes while it waits gets null. */
export class Newest<Item, Result> {
  private waiting: Waiting<Item, Result> | null = null;
  private busy = false;

  /**
   * @param handle Handles an item.
   * @param drop Frees an item that was overtaken.
   */
  constructor(
    private readonly handle: (item: Item) => Promise<Result>,
    private readonly drop: (item: Item) => void,
  ) {}

  /** Handle an item when its turn comes; null if a newer one came first. */
  put(item: Item): Promise<Result | null> {
    this.discard();
    return new Promise((resolve, reject) => {
      this.waiting = { item, resolve, reject };
      void this.go();
    });
  }

  /** Drop what waits. */
  discard(): void {
    const overtaken = this.waiting;
    this.waiting = null;
    if (!overtaken) return;
    this.drop(overtaken.item);
    overtaken.resolve(null);
  }

  private async go(): Promise<void> {
    if (this.busy) return;
    this.busy = true;
    while (this.waiting) {
      const { item, resolve, reject }: Waiting<Item, Result> = this.waiting;
      this.waiting = null;
      await this.handle(item).then(resolve, reject);
    }
    this.busy = false;
  }
}
