// SPDX-License-Identifier: Apache-2.0
import { signLookup, type LookupAnswer, type MonitoredAnswer } from '../../api/lookup.ts'
import { toBase64url } from '../../bytes/encoding.ts'
import type { Digest } from '../../bytes/ids.ts'
import { toTimestamp } from '../../bytes/timestamp.ts'
import { AmpereError } from '../../errors.ts'
import { listFindings } from './findings.ts'
import { findLabel } from './labels.ts'
import { findMonitored, type MonitoredLog } from './monitored-row.ts'
import type { LookupPorts } from './needs.ts'

/**
 * Says, signed, whether a label is in a monitored log. A label that was copied is said to be where it is in the newest
 * verified tree; one that is in none is said to be absent from the newest one that the quorum of the monitor's policy
 * cosigned, if there is one, because that says as of when.
 * @throws AmpereError NOT_FOUND for a log that is not monitored or of which nothing is verified yet; STORE_CORRUPT
 */
export async function lookUp(
  { tables, keys, now }: LookupPorts,
  logId: string,
  label: Digest,
): Promise<LookupAnswer> {
  // The log before the label: all labels of a tree are stored before the row that names it.
  const { verified, cosigned, origin } = await monitored(tables, logId)
  if (!verified) throw new AmpereError('NOT_FOUND', 'nothing of this log is verified here yet')
  const placed = await findLabel(tables.monitored, logId, label)
  const index = placed && placed.index < verified.checkpoint.size ? placed.index : null
  const { note, checkpoint } = index === null ? (cosigned ?? verified) : verified
  const lookup = await signLookup(
    {
      v: 1,
      origin,
      size: checkpoint.size,
      root: toBase64url(checkpoint.root) as Digest,
      label,
      index,
      time: toTimestamp(now()),
    },
    keys.head,
  )
  return { lookup, checkpoint: note }
}

/** How far this monitor is with a log. @throws AmpereError NOT_FOUND, STORE_CORRUPT */
export async function readMonitored(
  { tables }: Pick<LookupPorts, 'tables'>,
  logId: string,
): Promise<MonitoredAnswer> {
  const { origin, verified, cosigned, target } = await monitored(tables, logId)
  const findings = await listFindings(tables.monitored, origin)
  return {
    origin,
    size: verified?.checkpoint.size ?? 0,
    checkpoint: verified?.note ?? null,
    cosigned: cosigned?.checkpoint.size ?? null,
    pending: target?.checkpoint.size ?? null,
    findings: findings.map(({ kind, time }) => ({ kind, time })),
  }
}

async function monitored({ monitored: table }: LookupPorts['tables'], logId: string): Promise<MonitoredLog> {
  const found = await findMonitored(table, logId)
  if (!found) throw new AmpereError('NOT_FOUND', 'no such log is monitored here')
  return found.log
}
