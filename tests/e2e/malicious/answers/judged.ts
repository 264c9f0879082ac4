// SPDX-License-Identifier: Apache-2.0
import type { Connection } from '#core/client/connect.ts'
import type { Replica } from '#core/client/read/replica.ts'
import type { Deadline } from '#core/order/deadline.ts'
import { conclusionOf, differences, refusal, type Conclusion } from './conclusion.ts'
import { concludePart, kindOf } from './parts.ts'
import type { Recorded, RecordedHome } from './recorded.ts'

/** What stands in place of an answer. */
export type Spoiling = (recorded: Recorded, request: Request) => Response | Promise<Response>

/** What a reader says of a record when one answer is spoiled: the refusal, the differences by their words, or `same`. */
export async function saidOf(
  home: RecordedHome,
  recorded: Recorded,
  spoil: Spoiling,
  deadline?: Deadline,
): Promise<string> {
  const reader = home.reader((answer, by) => (answer === recorded ? spoil(recorded, by) : null), deadline)
  return said(home.honest, () => conclusionOf(reader, home.record))
}

/** The same by a reader that has all but what is spoiled. The registry it has to read anew. */
export async function partsReader(home: RecordedHome, recorded: Recorded, deadline?: Deadline) {
  const kind = kindOf(recorded.asked)
  if (kind === 'registry') return (spoil: Spoiling) => saidOf(home, recorded, spoil, deadline)
  let spoil: Spoiling | null = null
  const reader: Connection = home.reader(
    (answer, request) => (answer === recorded ? (spoil?.(recorded, request) ?? null) : null),
    deadline,
  )
  const replica: Replica = await reader.replica(home.record)
  await reader.keyring(replica)
  return async (by: Spoiling): Promise<string> => {
    spoil = by
    const word = await said(home.honest, () => concludePart(kind, reader, replica, home.honest))
    spoil = null
    return word
  }
}

async function said(honest: Conclusion, conclude: () => Promise<Conclusion>): Promise<string> {
  let now: Conclusion
  try {
    now = await conclude()
  } catch (error) {
    return refusal(error)
  }
  return [...new Set(differences(honest, now))].toSorted().join(', ') || 'same'
}
