// SPDX-License-Identifier: Apache-2.0

/** A command that is suggested; one for another machine (`There`) or institution, or for its own help, needs no folder of ours. */
const COMMAND =
  /(?<!\bThere:? +)npx ampere ((?:(?:chain|client|demo|deploy|device|evidence|home|incident|instance|institution|mirror|monitor|pair|recover|rotation|witness) )?[a-z]+)(?! --help| --data)\b/g
const ELSEWHERE: readonly string[] = [
  'pair join',
  'mirror add',
  'mirror admit',
  'mirror join',
  'device approve',
  'device claim',
  'recover approve',
]

/** Commands that may be about a home in a cloud; that they are those of the catalogue, a test says. */
export const OF_ANY_HOME: readonly string[] = [
  'import',
  'findings',
  'grant',
  'revoke',
  'rotate',
  'rotation status',
  'rotation run',
  'rotation pause',
  'incident report',
  'hold',
  'home status',
  'erase',
  'verify',
  'audit',
  'backup',
  'restore',
  'migrate',
  'evidence list',
  'evidence verify',
  'chain list',
  'chain show',
  'chain export',
  'client add',
  'client list',
  'client show',
  'client suspend',
  'client remove',
  'pair issue',
  'pair join',
  'pair link',
  'instance list',
  'instance enrol',
  'instance revoke',
  'instance reinstate',
  'institution list',
  'institution propose',
  'institution show',
  'institution sign',
  'institution withdraw',
  'instance requests',
  'instance approve',
  'instance refuse',
  'mirror join',
  'mirror admit',
  'mirror status',
  'witness status',
  'witness list',
  'witness add',
  'witness remove',
  'witness accept',
  'monitor add',
  'monitor remove',
  'monitor list',
  'monitor status',
]

/** What a command was given that says of which home it is. */
export interface Place {
  readonly data?: string
  readonly cloud?: string
}

/** Suggested commands with the folder and the cloud that this command was given: without them they would act on another home. */
export function withPlace(text: string, { cloud, ...folder }: Place): string {
  return text.replaceAll(COMMAND, (whole, name: string) => {
    if (ELSEWHERE.includes(name)) return whole
    return `${whole}${flagsOf(cloud === undefined || !OF_ANY_HOME.includes(name) ? folder : { ...folder, cloud })}`
  })
}

/** ` --cloud aws-prod --data /srv/ampere`, as far as they were given. */
export function flagsOf({ cloud, data }: Place): string {
  const of = cloud === undefined ? '' : ` --cloud ${word(cloud)}`
  return data === undefined ? of : `${of} --data ${word(data)}`
}

/** As a shell takes it for one word. */
function word(text: string): string {
  return /^[\w./~:@-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`
}
