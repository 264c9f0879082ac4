// SPDX-License-Identifier: Apache-2.0
import { utf8 } from '#core/bytes/encoding.ts'
import type { ChainId } from '#core/bytes/ids.ts'
import { requestErasure, settleErasure } from '#core/client/acts/erase-entries.ts'
import { ERASE_DELAY_MS } from '#core/chain/rules/erase.ts'
import { connect, type Connection } from '#core/client/connect.ts'
import type { Deadline } from '#core/order/deadline.ts'
import type { Fetch } from '#core/ports/keys.ts'
import { monitoredWorld } from '#tests/core/client/complete/monitored-world.ts'
import { memorySeen } from '#tests/deployment.ts'
import { conclusionOf, type Conclusion } from './conclusion.ts'
import { rememberingVerifiers } from './remembered.ts'

/** An answer as it was given to a reader. */
export interface Recorded {
  /** Method, origin and path of what was asked. */
  readonly asked: string
  readonly status: number
  readonly type: string
  readonly bytes: Uint8Array<ArrayBuffer>
}

/** All that a reader of a small real home asks, with the honest answers, and whoever reads it again with others. */
export interface RecordedHome {
  readonly record: ChainId
  readonly answers: readonly Recorded[]
  /** What who is answered so concludes. */
  readonly honest: Conclusion
  /** A reader without any memory, who is answered by `answer` where it gives something, else as recorded. */
  reader(answer?: Answering, deadline?: Deadline): Connection
}

/** What stands in place of a recorded answer; null for the recorded one. */
export type Answering = (recorded: Recorded, request: Request) => Response | Promise<Response> | null

const entry = (text: string) => ({ header: utf8('{}'), content: utf8(text), compartment: 'general' })

/**
 * Records what is asked of a home, and of two monitors, about a record with everything that answers are of:
 * a key that was revoked since, an erasure with its statement, receipts with cosignatures.
 */
export async function recordedHome(): Promise<RecordedHome> {
  const made = await monitoredWorld()
  const { world, author, record, clock } = made
  const { instance, second } = world.institution('hospital-a')
  await world.connect('hospital-a', { signer: second }).append(record, [entry('by a key that is lost later')])
  const [filed] = await author.append(record, [entry('misfiled'), entry('kept')])
  if (!filed) throw new Error('two entries were filed')
  const what = { scope: 'entries', entries: [filed], ground: 'misfiled' } as const
  const asked = await requestErasure(author, record, what, { instances: [instance, second] })
  await made.settle()
  clock.now += ERASE_DELAY_MS + 1000
  await settleErasure(author, record, asked.block.height, 'complete')
  await made.settle()
  const lost = { act: 'revoke', kid: second.kid, reason: 'compromised', suspectFrom: null } as const
  await world.change('hospital-a', [lost])
  await made.settle()
  const answers = new Map<string, Recorded>()
  const { ports } = made.reader({ origins: made.monitors.map(({ origin }) => origin).slice(0, 2), need: 2 })
  const recording: Fetch = async (request) => {
    const response = await ports.fetch(request)
    const bytes = new Uint8Array(await response.clone().arrayBuffer())
    const type = response.headers.get('content-type') ?? ''
    answers.set(named(request), { asked: named(request), status: response.status, type, bytes })
    return response
  }
  const verifiers = rememberingVerifiers()
  const reader = (fetch: Fetch, deadline?: Deadline): Connection => {
    const own = connect({ ...ports, fetch, seen: memorySeen(), ...(deadline ? { deadline } : {}) })
    return { ...own, sync: { ...own.sync, verifiers } }
  }
  const honest = await conclusionOf(reader(recording), record)
  return {
    record,
    answers: [...answers.values()],
    honest,
    reader: (answer = () => null, deadline) =>
      reader(async (request) => {
        const recorded = answers.get(named(request))
        if (!recorded) return new Response(null, { status: 404 })
        return (await answer(recorded, request)) ?? responseOf(recorded)
      }, deadline),
  }
}

/** An answer with other bytes than were recorded. */
export function responseOf({ status, type, bytes }: Recorded, changed = bytes): Response {
  return new Response(changed, { status, headers: { 'content-type': type } })
}

function named({ method, url }: Request): string {
  return `${method} ${url}`
}
