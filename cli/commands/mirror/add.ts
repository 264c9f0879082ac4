// SPDX-License-Identifier: Apache-2.0
import { logOriginOf } from '#core/api/log.ts'
import { asInstitutionId } from '#core/bytes/ids.ts'
import { formatVerifierKey } from '#core/log/note/key.ts'
import { parsedPolicy } from '../../monitor/watched.ts'
import { actingInstitution, deploymentOf, type ActingOptions } from '../../deployment/session.ts'
import { describeHome, originArgument } from '../../mirror/other-home.ts'
import { addMirroredHome } from '../../open/mirror.ts'
import type { Call } from '../../program/command.ts'
import { refuse, usage } from '../../program/refuse.ts'
import { EXIT } from '../../terminal/screen.ts'

interface AddOptions extends ActingOptions {
  readonly registry?: string
  readonly policy?: string
}

/** Begins to mirror a home: notes where it is and what is pinned of it. The running server copies from then on. */
export async function addMirrored(call: Call<AddOptions>): Promise<number> {
  const { folder, settings } = deploymentOf(call)
  const institution = asInstitutionId(actingInstitution(settings, call.options))
  const origin = originArgument(call.args[0] ?? '')
  const log = logKeysIn(call.options.policy, origin)
  const said = await describeHome(origin)
  const registry = call.options.registry ?? settings.registry
  if (said.registry !== registry)
    throw refuse(
      'VERIFICATION_FAILED',
      `rule registry: ${origin} is a home of registry ${said.registry}, not of ${registry}`,
      'ask its operator for the id of its registry, by another way than this one, and give it with --registry',
    )
  const entry = { deployment: said.deployment, origin, registry: said.registry, log, institution }
  addMirroredHome(folder, entry)
  call.screen.print({ ok: true, ...entry }, [
    `${origin} (${said.deployment}) is mirrored as ${institution}, once npx ampere start runs here again.`,
    `There ampere grant RECORD ${institution} --hold, for each record`,
  ])
  return EXIT.ok
}

/** The log's keys come on another way than the copy: a policy has them. */
function logKeysIn(file: string | undefined, origin: string): string[] {
  if (file === undefined)
    throw usage('--policy names a file with the keys of the log, from the operator of the home')
  const name = logOriginOf(origin)
  const keys = parsedPolicy(
    file,
    'its operator writes one with: npx ampere witness status --keys',
  ).logs.flatMap(({ key }) => (key.name === name ? [key] : []))
  if (keys.length > 0) return keys.map(formatVerifierKey)
  throw refuse(
    'CONFIGURATION',
    `${file} has no line for the log ${name}`,
    'ask the operator of the home for it',
  )
}
