// SPDX-License-Identifier: Apache-2.0
import { FINDING_KINDS, type FindingKind } from '#core/api/lookup.ts'
import type { Log } from '#functions/host/telemetry.ts'

/** What whoever runs a home must be told, with `--log` or without. */
interface Alarm {
  /** Codes of the event that do not end by themselves. */
  readonly codes: readonly string[]
  readonly says: string
  readonly ended: string
}

/** What somebody else shows does not verify. */
const DISPROVED = ['VERIFICATION_FAILED', 'SIGNATURE_INVALID']

const ALARMS: Readonly<Record<string, Alarm>> = {
  'log-failed': {
    codes: ['STORE_CORRUPT', 'CONFIGURATION'],
    says: 'THE LOG STANDS STILL: what is stored of it is not what was committed. Blocks are acknowledged and not logged, which this home promised within a minute. Next: npx ampere doctor',
    ended: 'The log goes on: blocks are logged again.',
  },
  'log-skips': {
    codes: ['STORE_CORRUPT'],
    says: 'Some chains are NOT LOGGED any further: their stored rows contradict each other, or a part of the log that could have their next block is lost. Next: npx ampere audit',
    ended: 'All chains are logged again.',
  },
  'cosign-failed': {
    codes: ['STORE_CORRUPT', 'CONFIGURATION'],
    says: 'NOBODY IS ASKED TO WITNESS: the policy does not have the keys of this log, or what is published cannot be read. Next: npx ampere doctor',
    ended: 'Witnesses are asked again.',
  },
  'witness-ahead': {
    codes: ['STORE_CORRUPT'],
    says: 'A WITNESS SAYS THAT IT COSIGNED A LARGER TREE than this home has: the stores here may be an older copy, or the witness is wrong. Next: npx ampere witness status',
    ended: 'No witness is ahead of this home any more.',
  },
  'log-behind': {
    codes: ['STORE_CORRUPT'],
    says: 'THE STORES HERE ARE OLDER THAN WHAT THIS HOME SIGNED, as its witnesses show: whatever it signs now is a fork. It answers nothing and logs nothing. Stop it, and put back the newer stores. Next: npx ampere witness status (docs/OPERATIONS.md, "An older copy")',
    ended: 'This home answers and logs again: no witness is ahead of it.',
  },
  'mirror-failed': {
    codes: DISPROVED,
    says: 'A HOME THAT IS MIRRORED HERE contradicts the copy of it: nothing of it is copied any more. Next: npx ampere mirror status',
    ended: 'Every home that is mirrored here is copied again.',
  },
  'mirror-problems': {
    codes: DISPROVED,
    says: 'A home that is mirrored here has lost or changed something: the copy keeps what it has. Next: npx ampere mirror status',
    ended: 'No home that is mirrored here has lost anything any more.',
  },
  'registry-forked': {
    codes: DISPROVED,
    says: 'THE REGISTRY WAS SHOWN WITH TWO HISTORIES: both blocks are kept, and it is followed no more. What was known here stays in force, newer revocations are not known. Next: npx ampere home status',
    ended: 'The registry is followed again.',
  },
  'registry-unseen': {
    codes: DISPROVED,
    says: 'What the home of the registry shows does not verify: nothing of it is taken. Next: npx ampere home status',
    ended: 'The registry is followed again.',
  },
  ...Object.fromEntries(FINDING_KINDS.map((kind) => [`monitor-finding-${kind}`, monitored(kind)])),
}

function monitored(kind: FindingKind): Alarm {
  return {
    codes: DISPROVED,
    says: `A LOG THAT IS MONITORED HERE does not verify (${kind}): nothing newer of it is taken while that stays. Next: npx ampere monitor status`,
    ended: `Nothing speaks against a log that is monitored here any more (${kind}).`,
  }
}
const ENDED = '-ended'

/** A log that also says on the terminal, once, what does not end by itself, and once that it ended. */
export function withAlarms(log: Log, say: (line: string) => void): Log {
  const standing = new Set<string>()
  return (fields) => {
    log(fields)
    const { event, code = '' } = fields
    const alarm = ALARMS[event]
    if (alarm && alarm.codes.includes(code) && !standing.has(event)) {
      standing.add(event)
      say(alarm.says)
    }
    if (!event.endsWith(ENDED)) return
    const before = event.slice(0, -ENDED.length)
    if (standing.delete(before)) say(ALARMS[before]?.ended ?? '')
  }
}
