// SPDX-License-Identifier: Apache-2.0
import type { Rotation } from '#core/bridge/rotation/rotation.ts'
import type { Log } from '../host/telemetry.ts'

/** Gives records the new keys that are due, until `endMs`; says how many chains got some in the round, once it has ended. */
export async function rotateDue(rotation: Rotation, log: Log, endMs: number): Promise<void> {
  const { outcome } = await rotation.slice(endMs)
  if (outcome !== 'done') return
  const { row } = await rotation.status()
  if (row.rotated > 0) log({ event: 'rotated', role: 'checker', count: row.rotated })
  if (row.open > 0) log({ event: 'rotation-open', role: 'checker', count: row.open })
}
