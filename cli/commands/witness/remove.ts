// SPDX-License-Identifier: Apache-2.0
import { WITNESS_PREFIX } from '#core/api/log.ts'
import { targetOf } from '../../cloud/target.ts'
import { readPolicy, readPolicyText, writePolicy } from '../../open/policy.ts'
import type { Call, CloudOption } from '../../program/command.ts'
import { noneSuch } from '../../program/refuse.ts'
import { EXIT } from '../../terminal/screen.ts'
import { plain } from '../../terminal/words.ts'
import { askedWitnesses } from '../../witness/asked.ts'
import { confirmAct } from '../../witness/confirm-keys.ts'
import { ERASURE_NOTICE } from '../../witness/policy/erasure-notice.ts'
import { withoutWitness, type Reduced } from '../../witness/policy/policy-removal.ts'

interface RemoveOptions extends CloudOption {
  readonly quorum?: number
  readonly yes?: boolean
}

/** Ends that another home's witness is asked for cosignatures: takes its keys out of policy.txt. */
export async function removeWitness(call: Call<RemoveOptions>): Promise<number> {
  const { options, screen } = call
  const { folder, origin, effective, next } = targetOf(call)
  const name = keyNameOf(call.args[0] ?? '')
  const reduce = (): Reduced => {
    const before = readPolicyText(folder)
    const none = { text: '', isChanged: false, quorum: { need: 0, of: 0 }, url: null }
    return before === null ? none : withoutWitness(before, name, options.quorum)
  }
  const { isChanged, quorum, url } = reduce()
  const needs = `${quorum.need} of ${quorum.of} must cosign`
  const shown = plain(name)
  if (!isChanged) {
    const policy = readPolicy(folder, origin)
    const known = policy ? askedWitnesses(policy).map((each) => each.name) : []
    throw noneSuch(name, 'is not asked to witness here', known, 'npx ampere witness list')
  }
  const at = url === null ? '' : ` (${url})`
  await confirmAct(screen, [`Removes ${shown}${at} from policy.txt; from then on ${needs}.`], options.yes)
  // Somebody may have changed the file while it was asked.
  writePolicy(folder, origin, reduce().text)
  screen.print({ ok: true, changed: true, name, quorum, effective }, [
    `${shown} is asked no more, and counts no more here: ${needs}.`,
    effective === 'next-start'
      ? 'A server that runs still asks it until it is restarted: it reads policy.txt when it starts.'
      : `Until then it is still asked. ${next}`,
    ...ERASURE_NOTICE,
    `Its operator can stop too: npx ampere witness accept --stop ${origin.replace(/^https?:\/\//, '')}/log`,
  ])
  return EXIT.ok
}

/** The name of a witness's keys, from that name, its URL, or that of its home. */
function keyNameOf(text: string): string {
  const name = text.replace(/^https?:\/\//, '').replace(/\/+$/, '')
  return name.includes('/') ? name : `${name}${WITNESS_PREFIX}`
}
