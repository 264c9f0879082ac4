// SPDX-License-Identifier: Apache-2.0
import { contractOn } from './contract.ts'

contractOn('MiniStack')
