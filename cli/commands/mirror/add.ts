// SPDX-License-Identifier: Apache-2.0
import { asInstitutionId } from '#core/bytes/ids.ts'
import { deploymentOf } from '../../deployment/deployment-of.ts'
import { actingInstitution, type ActingOptions } from '../../deployment/session.ts'
import { checkDeployment, describeHome, originArgument, readRegistry } from '../../mirror/other-home.ts'
import { readGivenPolicy } from '../../mirror/given-policy.ts'
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
  if (call.options.policy === undefined)
    throw usage(
      '--policy names a file with the keys of the log: the policy.txt of the home, from its operator',
    )
  const given = readGivenPolicy(call.options.policy, origin)
  const said = await describeHome(origin)
  const registry = call.options.registry ?? settings.registry
  if (said.registry !== registry)
    throw refuse(
      'VERIFICATION_FAILED',
      `rule registry: ${origin} is a home of registry ${said.registry}, not of ${registry}`,
      'ask its operator for the id of its registry, by another way than this one, and give it with --registry',
    )
  checkDeployment(await readRegistry(origin, said.registry), said)
  const entry = { deployment: said.deployment, origin, registry: said.registry, ...given, institution }
  addMirroredHome(folder, entry)
  const { policy, ...shown } = entry
  call.screen.print({ ok: true, ...shown, witnessed: policy !== undefined }, [
    `${origin} (${said.deployment}) is mirrored as ${institution}, once npx ampere start runs here again.`,
    policy === undefined
      ? `${call.options.policy} names no quorum: what the home calls witnessed is copied as it says.`
      : 'Checkpoints are kept as witnessed that have the quorum of that policy.',
    `Then, in the data folder of ${origin}:  ampere grant RECORD ${institution} --hold, for each record`,
  ])
  return EXIT.ok
}
