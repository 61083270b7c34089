/** @param {string} prefix of ASCII characters @returns {string} the first key after all keys that begin so */
export function endOfPrefix(prefix) {
  return prefix.slice(0, -1) + String.fromCharCode(prefix.charCodeAt(prefix.length - 1) + 1);
}
