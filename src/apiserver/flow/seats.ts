/**
 * How many are served at once, in all and by each level: what a level has for itself, what it lends while it does not need it, and what it may borrow.
 *
 *   own part (nominal less lendable)  always there for the level
 *   the rest of all seats             whoever comes first, up to nominal + borrowing limit
 *
 * Lent seats come back as soon as a borrower's request ends: there is no period of adjustment. Pure.
 * Invariant: seats in use and own parts kept free are together never more than there are.
 */

export interface SeatLimits {
  readonly shares: number;
  readonly lendablePercent: number;
  /** undefined: as many as there are. */
  readonly borrowingLimitPercent: number | undefined;
}

export class SeatAccount {
  readonly total: SeatTotal;
  nominal = 0;
  /** Nobody else gets these. */
  own = 0;
  max = 0;
  inUse = 0;

  constructor(total: SeatTotal) {
    this.total = total;
  }

  get free(): boolean {
    return this.inUse === 0;
  }

  /** False: not now. A request that is wider than its level may be passes alone. */
  take(seats: number): boolean {
    const after = this.inUse + seats;
    if (after > this.max && this.inUse > 0) return false;
    const extra = Math.max(0, after - Math.max(this.own, this.inUse));
    if (extra > 0 && this.total.committed + extra > this.total.seats && (this.inUse > 0 || this.own === 0))
      return false;
    this.inUse = after;
    this.total.committed += extra;
    return true;
  }

  give(seats: number): void {
    const after = this.inUse - seats;
    this.total.committed -= Math.max(this.own, this.inUse) - Math.max(this.own, after);
    this.inUse = after;
  }
}

export class SeatTotal {
  /** All there are. */
  readonly asked: number;
  seats: number;
  /** In use, or kept for their owners. */
  committed = 0;

  constructor(seats: number) {
    this.asked = seats;
    this.seats = seats;
  }

  /** Divides the seats anew. What is in use stays so. */
  divide(accounts: readonly (readonly [SeatAccount, SeatLimits])[]): void {
    const shares = accounts.reduce((sum, [, one]) => sum + one.shares, 0);
    let nominalSum = 0;
    for (const [account, { shares: own, lendablePercent, borrowingLimitPercent }] of accounts) {
      const nominal = shares === 0 ? 0 : Math.ceil((this.asked * own) / shares);
      account.nominal = nominal;
      account.own = nominal - Math.round((nominal * lendablePercent) / 100);
      account.max =
        borrowingLimitPercent === undefined
          ? Number.POSITIVE_INFINITY
          : nominal + Math.round((nominal * borrowingLimitPercent) / 100);
      nominalSum += nominal;
    }
    this.seats = Math.max(this.asked, nominalSum);
    this.committed = accounts.reduce((sum, [{ own, inUse }]) => sum + Math.max(own, inUse), 0);
  }
}
