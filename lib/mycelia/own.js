// Options of the contract's calls are read one by one, so that the kernel may pass its own through beside them.

/**
 * @param {any} options
 * @param {string} name
 * @returns {any} what they hold themselves under the name: never what somebody gave to Object.prototype
 */
export const own = (options, name) => (options !== undefined && options !== null && Object.hasOwn(options, name) ? options[name] : undefined);
