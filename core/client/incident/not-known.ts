// SPDX-License-Identifier: Apache-2.0
import type { AffectedRecord } from './affected-record.ts'
import type { Subject } from './subject.ts'

/** Something that a report does not say, and why. */
export interface Unknown {
  readonly what:
    | 'other-records'
    | 'failed'
    | 'copies'
    | 'unentered-readings'
    | 'closed-access'
    | 'sealing-key'
    | 'times'
    | 'no-receipt'
  /** How many records or blocks it is about; null where that is not a number. */
  readonly count: number | null
  readonly says: string
}

/** What is known of how far the report goes. */
interface Known {
  readonly hasPolicy: boolean
  readonly subject: Subject
  readonly records: readonly AffectedRecord[]
  readonly failed: readonly unknown[]
}

/** What each of them means. */
const SAYS: Readonly<Record<Unknown['what'], string>> = {
  'other-records': 'Records that this institution does not know: others have to look at theirs.',
  failed: 'Records that could not be read now: they may be affected.',
  copies: 'What was kept of what could be opened: keys and copies cannot be called back.',
  'unentered-readings':
    'Readings that nobody entered: whoever has a key can open records with software that enters none.',
  'closed-access': 'Readings of records whose access chain this institution may not open.',
  'sealing-key':
    'Whether the sealing key of the institution was taken as well: then what it is granted stays open, new keys or not, until its grants are taken away.',
  times: 'What is late or suspect: no policy is pinned here, so that no receipt was judged.',
  'no-receipt': 'When blocks without a receipt were written: only their author says.',
}

/** What the report does not say. Some of it nobody can know, and is said each time. */
export function notKnown({ hasPolicy, subject, records, failed }: Known): readonly Unknown[] {
  const closed = records.filter(({ access, readings }) => access !== null && readings === null).length
  const written = records.flatMap(({ record, access }) => [...record.written, ...(access?.written ?? [])])
  const unlogged = hasPolicy ? written.filter(({ receipt }) => receipt === null).length : 0
  const isInstance = subject.keys.some(({ instance }) => instance !== null)
  const counted = (what: Unknown['what'], count: number) => (count === 0 ? [] : [unknown(what, count)])
  return [
    unknown('other-records'),
    ...counted('failed', failed.length),
    unknown('copies'),
    unknown('unentered-readings'),
    ...counted('closed-access', closed),
    ...(isInstance ? [unknown('sealing-key')] : []),
    ...(hasPolicy ? [] : [unknown('times')]),
    ...counted('no-receipt', unlogged),
  ]
}

function unknown(what: Unknown['what'], count: number | null = null): Unknown {
  return { what, count, says: SAYS[what] }
}
