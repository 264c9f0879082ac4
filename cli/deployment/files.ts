// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path'

/** The key file of a data folder's home. */
export function homeKeyFile(folder: string): string {
  return join(folder, 'home', 'keys.json')
}

/** Folder of an institution's keys and tables. */
export function institutionFolder(folder: string, id: string): string {
  return join(folder, 'institutions', id)
}

/** The key file of an institution. */
export function keyFileOf(folder: string, id: string): string {
  return join(institutionFolder(folder, id), 'keys.json')
}
