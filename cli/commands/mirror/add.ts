// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs'
import * as v from 'valibot'
import { homeAnswer } from '#core/api/discovery.ts'
import { logOriginOf } from '#core/api/log.ts'
import { asInstitutionId } from '#core/bytes/ids.ts'
import { formatVerifierKey } from '#core/log/note/key.ts'
import { parsePolicy } from '#core/log/policy/policy.ts'
import { actingInstitution, deploymentOf, type ActingOptions } from '../../deployment/session.ts'
import { readMirrored, writeMirrored } from '../../open/mirror.ts'
import type { Call } from '../../program/command.ts'
import { refuse, usage } from '../../program/refuse.ts'
import { EXIT } from '../../terminal/screen.ts'

interface AddOptions extends ActingOptions {
  readonly registry?: string
  readonly policy?: string
}

const ASK_MS = 10_000

/** Begins to mirror a home: notes where it is and what is pinned of it. The running server copies from then on. */
export async function addMirrored(call: Call<AddOptions>): Promise<number> {
  const { folder, settings } = deploymentOf(call)
  const institution = asInstitutionId(actingInstitution(settings, call.options))
  const origin = originArgument(call.args[0] ?? '')
  const log = logKeysIn(call.options.policy, origin)
  const said = await describe(origin)
  const registry = call.options.registry ?? settings.registry
  if (said.registry !== registry)
    throw refuse(
      'VERIFICATION_FAILED',
      `rule registry: ${origin} is a home of registry ${said.registry}, not of ${registry}`,
      'ask its operator for the id of its registry, by another way than this one, and give it with --registry',
    )
  const entry = { deployment: said.deployment, origin, registry: said.registry, log, institution }
  const others = readMirrored(folder).filter(({ deployment }) => deployment !== said.deployment)
  writeMirrored(folder, [...others, entry])
  call.screen.print({ ok: true, ...entry }, [
    `${origin} (${said.deployment}) is mirrored as ${institution}, once npx ampere start runs here again.`,
    `There npx ampere grant RECORD ${institution} --hold, for each record`,
  ])
  return EXIT.ok
}

function originArgument(text: string): string {
  if (URL.canParse(text) && new URL(text).origin === text) return text
  throw usage(`${text.slice(0, 80)} is no origin, such as https://home.example`)
}

/** The log's keys come on another way than the copy: a policy has them. */
function logKeysIn(file: string | undefined, origin: string): string[] {
  if (file === undefined)
    throw usage('--policy names a file with the keys of the log, from the operator of the home')
  const name = logOriginOf(origin)
  const keys = parsePolicy(readFileSync(file)).logs.flatMap(({ key }) => (key.name === name ? [key] : []))
  if (keys.length > 0) return keys.map(formatVerifierKey)
  throw refuse(
    'CONFIGURATION',
    `${file} has no line for the log ${name}`,
    'ask the operator of the home for it',
  )
}

async function describe(origin: string): Promise<v.InferOutput<typeof homeAnswer>> {
  try {
    const signal = AbortSignal.timeout(ASK_MS)
    const response = await fetch(`${origin}/.well-known/ampere`, { signal, redirect: 'error' })
    return v.parse(homeAnswer, await response.json())
  } catch (cause) {
    throw refuse(
      'UPSTREAM_FAILED',
      `${origin} does not answer as a home does`,
      'is it running, and reachable?',
      cause,
    )
  }
}
