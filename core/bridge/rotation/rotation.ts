// SPDX-License-Identifier: Apache-2.0
import { AmpereError } from '../../errors.ts'
import type { WriteTable } from '../../ports/table.ts'
import { estimate, type Estimate } from './estimate.ts'
import type { OpenRecord } from './open-records.ts'
import type { RotationPorts } from './ports.ts'
import { loadRotation, saveRotation, type RotationRow } from './row.ts'
import { runSlice, type Slice } from './slice.ts'

/** How far it is, and what waits for somebody. */
export interface RotationStatus {
  readonly state: 'never-ran' | 'running' | 'paused' | 'done'
  readonly row: RotationRow
  readonly open: readonly OpenRecord[]
}

/**
 * Rotation follows: whatever the registry revoked or removed, every record that this institution controls gets new keys.
 * The work is kept in the institution's own table and done in slices by whichever process comes next. What is to be
 * done the chains themselves say, so that it may be killed anywhere, and two at once are harmless.
 */
export interface Rotation {
  status(): Promise<RotationStatus>
  /** Looks at every record and changes nothing. */
  estimate(): Promise<Estimate>
  /** Does what can be done until `endMs`, where something may be due: after a revocation, else each hour. */
  slice(endMs: number): Promise<Slice>
  /** Lets it go on and begins a new round now. @param perMinute chains that get new keys in a minute, at most */
  resume(perMinute?: number): Promise<void>
  /** Nothing is rotated until `resume`; a chain that is being rotated in another process is finished. */
  pause(): Promise<void>
}

/** How often a change of the row is tried again because another process changed it. */
const MAX_ATTEMPTS = 20

/** The rotation of one institution's records. */
export function createRotation(ports: RotationPorts): Rotation {
  let idleUntilMs = 0
  return {
    status: () => readStatus(ports),
    estimate: () => estimate(ports),
    slice: async (endMs) => {
      // Asking the home for the registry's news each time would cost more than all else that an idle bridge does.
      if (ports.now() < idleUntilMs) return { outcome: 'idle', nextMs: idleUntilMs }
      const slice = await runSlice(ports, endMs)
      idleUntilMs = slice.outcome === 'idle' || slice.outcome === 'done' ? slice.nextMs : 0
      return slice
    },
    resume: (perMinute) => {
      idleUntilMs = 0
      return change(ports.table, (row) => ({
        ...row,
        paused: false,
        untilMs: 0,
        // A round that goes on is left to whoever has the turn; one that has ended begins again.
        ...(row.endedMs === null ? {} : { mark: '' }),
        ...(perMinute === undefined ? {} : { perMinute }),
      }))
    },
    pause: () => change(ports.table, (row) => ({ ...row, paused: true, untilMs: 0 })),
  }
}

async function readStatus({ table, open }: RotationPorts): Promise<RotationStatus> {
  const { row, version } = await loadRotation(table)
  const state = row.paused
    ? 'paused'
    : row.endedMs === null
      ? 'running'
      : version === null
        ? 'never-ran'
        : 'done'
  return { state, row, open: await open.list() }
}

async function change(table: WriteTable, next: (row: RotationRow) => RotationRow): Promise<void> {
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
    const { row, version } = await loadRotation(table)
    if ((await saveRotation(table, version, next(row))) !== null) return
  }
  throw new AmpereError('STORE_UNAVAILABLE', 'the rotation is changed by others all the time; try again')
}
