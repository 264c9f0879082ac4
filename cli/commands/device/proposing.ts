// SPDX-License-Identifier: Apache-2.0
import { toTimestamp, type Timestamp } from '#core/bytes/timestamp.ts'
import type { Drafted, Lacking } from '#core/client/devices/propose.ts'
import { approveProposal, lackingIn, makeProposed } from '#core/client/devices/propose.ts'
import type { Signer } from '#core/ports/keys.ts'
import { saveDraft, removeDraft, writeExchanged } from '../../device/exchange.ts'
import type { Party } from '../../device/party.ts'
import type { Call } from '../../program/command.ts'
import { usage } from '../../program/refuse.ts'
import type { Common } from '../../terminal/screen.ts'
import { rmSync } from 'node:fs'

/** How long approvals may take. */
export interface WithinOptions extends Common {
  readonly within?: number
}

const USUAL_HOURS = 2
const MAX_HOURS = 72
const HOUR_MS = 3_600_000

/** What a proposal lacks, in words. */
export const LACKS: Readonly<Record<Lacking, string>> = {
  threshold: 'more of those who control or may recover the record have to approve',
  'device-possession': 'a new device has to approve itself',
  'device-identify': 'an institution that may identify people has to approve',
}

/** Until when approvals count. @throws CommanderError (usage) */
export function expiryOf({ options, screen }: Call<WithinOptions>): Timestamp {
  const hours = options.within ?? USUAL_HOURS
  if (hours < 1 || hours > MAX_HOURS) throw usage(`--within: 1 to ${MAX_HOURS} hours`)
  return toTimestamp(screen.terminal.now() + hours * HOUR_MS)
}

/** What came of a proposal: blocks, or a file that others have to approve first. */
export interface Proposed {
  readonly made: readonly { readonly chain: string; readonly block: number }[]
  readonly lacks: Lacking | null
}

/**
 * Approves a proposal with what this party has, and makes it if that is enough. Until it is made it stays in `file`, from which
 * `ampere device approve` goes on, also after a crash.
 */
export async function proposeHere(
  party: Party,
  { proposal, draft }: Drafted,
  signers: readonly Signer[],
  file: string,
): Promise<Proposed> {
  const approved = await approveProposal(proposal, signers)
  saveDraft(party.folder, approved, draft)
  writeExchanged(file, approved)
  const lacks = await lackingIn(party.connection, approved)
  if (lacks !== null) return { made: [], lacks }
  const blocks = await makeProposed(party.connection, approved, draft)
  removeDraft(party.folder, approved)
  rmSync(file, { force: true })
  return { made: blocks.map(({ chain, block }) => ({ chain, block: block.height })), lacks: null }
}
