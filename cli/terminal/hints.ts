// SPDX-License-Identifier: Apache-2.0

/** A command that is suggested; one for another institution, or for its own help, needs no folder of ours. */
const COMMAND =
  /npx ampere ((?:(?:chain|client|demo|evidence|instance|mirror|monitor|pair|witness) )?[a-z]+)(?! --help| --data)\b/g
const ELSEWHERE: readonly string[] = ['pair join', 'mirror add', 'mirror admit', 'mirror join']

/** Suggested commands with the folder that this command was given: without it they would act on another one. */
export function withFolder(text: string, folder: string | undefined): string {
  if (folder === undefined) return text
  const word = /^[\w./~:@-]+$/.test(folder) ? folder : `'${folder.replaceAll("'", `'\\''`)}'`
  return text.replaceAll(COMMAND, (whole, name: string) =>
    ELSEWHERE.includes(name) ? whole : `${whole} --data ${word}`,
  )
}
