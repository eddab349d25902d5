// Runs before the first paint, so that a dark room stays dark. Reads only what this browser stored.
(function () {
	try {
		var theme = localStorage.getItem('tandem.theme');
		if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;
		var density = localStorage.getItem('tandem.density');
		if (density === 'compact' || density === 'comfortable') document.documentElement.dataset.density = density;
	} catch (e) {
		/* storage may be forbidden; the system's theme applies */
	}
})();
