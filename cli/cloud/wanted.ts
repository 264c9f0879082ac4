// SPDX-License-Identifier: Apache-2.0
import { refuse, usage } from '../program/refuse.ts'
import type { Cloud } from './cloud.ts'
import type { CloudBridge, CloudDeployment } from './cloud-folder.ts'

/** A founder of a home, by its id in the registry and its name. */
export interface Founder {
  readonly id: string
  readonly name: string
}

/** What is asked of a deployment; what is left out stays as it is remembered. */
export interface Wanted {
  readonly stage: string
  /** Left out: that of the deployment, else where the cloud makes new ones. */
  readonly region?: string | undefined
  /** Of Azure. */
  readonly subscription?: string | undefined
  readonly institution?: readonly Founder[] | undefined
  readonly param?: readonly string[] | undefined
  readonly demo?: boolean | undefined
}

/** What a deployment is, as --role says. */
interface Role {
  readonly deploys: string
  readonly bridge: CloudBridge | null
}

/**
 * What is asked for now, on top of what is remembered: parameters that are not given again stay.
 * @throws AmpereError ALREADY_EXISTS; CommanderError (usage)
 */
export function wantedOf(
  cloud: Cloud,
  known: CloudDeployment | null,
  asked: Wanted,
  { deploys, bridge }: Role = {
    deploys: known?.parameters['deploys'] ?? 'home',
    bridge: known?.bridge ?? null,
  },
): CloudDeployment {
  const given = { ...known?.parameters, ...parametersOf(cloud, asked.param ?? []) }
  // As before where it is a home alone: what is remembered of that stays the same.
  const parameters = deploys === 'home' ? given : { ...given, deploys }
  const region = asked.region ?? known?.region ?? cloud.region
  if (known && known.region !== region)
    throw refuse(
      'ALREADY_EXISTS',
      `this stage is deployed in ${known.region}`,
      `give --region ${known.region}, or another --stage`,
    )
  if (known?.home && (parameters['nativeKeys'] ?? '') !== (known.parameters['nativeKeys'] ?? ''))
    throw refuse(
      'ALREADY_EXISTS',
      'the keys of the log and the witness are made once: others know them',
      'leave out --param nativeKeys',
    )
  const institutions = asked.institution ?? known?.institutions
  if (!institutions || institutions.length === 0)
    throw usage('a new deployment needs its founders: --institution ID=NAME, the first runs the home')
  if (known?.home && asked.institution && !areSame(asked.institution, known.institutions))
    throw usage(
      `the founders are in the registry already (${known.institutions.map(({ id }) => id).join(', ')}): leave out --institution`,
    )
  const subscription = asked.subscription ?? known?.subscription
  return {
    v: 1,
    provider: cloud.provider,
    stage: asked.stage,
    region,
    ...(known?.account === undefined ? {} : { account: known.account }),
    ...(subscription === undefined ? {} : { subscription }),
    parameters,
    institutions: institutions.map(({ id, name }) => ({ id, name })),
    demo: known?.demo ?? asked.demo === true,
    ...(bridge && { bridge }),
    ...(known?.kept && { kept: known.kept }),
    ...(known?.backups && { backups: known.backups }),
    ...(known?.home && known.trial !== undefined ? { trial: known.trial } : {}),
    home: known?.home ?? null,
  }
}

/** The same command may be given again as it was. */
function areSame(given: readonly Founder[], known: readonly Founder[]): boolean {
  const listed = (founders: readonly Founder[]) => founders.map(({ id, name }) => `${id}=${name}`).join('\n')
  return listed(given) === listed(known)
}

function parametersOf(cloud: Cloud, given: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    given.map((text) => {
      const at = text.indexOf('=')
      if (at < 1) throw usage('a parameter is NAME=VALUE')
      const name = text.slice(0, at)
      // What is deployed, --role says.
      const named = cloud.parameters.filter((parameter) => parameter !== 'deploys')
      if (!named.includes(name)) throw usage(`there is no parameter ${name}; there are: ${named.join(', ')}`)
      return [name, text.slice(at + 1)]
    }),
  )
}
