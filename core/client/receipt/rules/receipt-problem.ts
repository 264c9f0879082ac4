// SPDX-License-Identifier: Apache-2.0

/** A receipt, or its absence, that speaks against the home. */
export interface ReceiptProblem {
  readonly height: number
  readonly status: 'tampered' | 'forked' | 'overdue' | 'late' | 'suspect'
  /** A check of docs/PROTOCOL.md, section 8. */
  readonly rule: string
  readonly detail: string
}

/** A receipt that verified, of the block at a height. */
export interface PlacedReceipt {
  readonly height: number
  readonly text: string
  readonly index: number
}

/** @param kept what is to be said of the evidence */
export function outOfOrder(
  { height, index }: PlacedReceipt,
  before: PlacedReceipt,
  kept: string,
): ReceiptProblem {
  const detail = `its log entry ${index} does not follow that of a block before it, ${before.index}${kept}`
  return { height, status: 'forked', rule: 'leaf-order', detail }
}

/** @param kept what is to be said of the evidence */
export function splitView(height: number, size: number, kept: string): ReceiptProblem {
  const detail = `the log signed two trees of ${size} leaves with different roots${kept}`
  return { height, status: 'forked', rule: 'split-view', detail }
}

export function overdue(height: number): ReceiptProblem {
  const detail = 'the home promised to log it, and gives no receipt'
  return { height, status: 'overdue', rule: 'promise', detail }
}

export function late(height: number): ReceiptProblem {
  const detail = 'it was logged after the revocation of the key that signed it'
  return { height, status: 'late', rule: 'revoked', detail }
}

export function datedAhead(height: number): ReceiptProblem {
  const detail = 'its time is later than it can have been when it was stored'
  return { height, status: 'suspect', rule: 'block-time', detail }
}

/** @param detail what the receipts of the request and of its completion say */
export function delayUnseen(height: number, detail: string): ReceiptProblem {
  return { height, status: 'suspect', rule: 'delay-unseen', detail }
}

/** @param detail what is wrong with the time that the log states */
export function logTime(height: number, detail: string): ReceiptProblem {
  return { height, status: 'suspect', rule: 'log-time', detail }
}
