package core

import "strings"

// browsers and systems by what their user agents hold, the more special first: Edge says
// that it is Chrome, and Chrome that it is Safari.
var (
	browsers = [][2]string{{"Edg/", "Edge"}, {"EdgA/", "Edge"}, {"EdgiOS/", "Edge"}, {"OPR/", "Opera"}, {"SamsungBrowser/", "Samsung Internet"},
		{"FxiOS/", "Firefox"}, {"Firefox/", "Firefox"}, {"CriOS/", "Chrome"}, {"Chromium/", "Chromium"}, {"Chrome/", "Chrome"}, {"Safari/", "Safari"}}
	systems = [][2]string{{"iPhone", "iPhone"}, {"iPad", "iPad"}, {"Android", "Android"}, {"CrOS", "ChromeOS"}, {"Windows", "Windows"},
		{"Macintosh", "macOS"}, {"Linux", "Linux"}}
)

// browserName names the browser and the system of a user agent, for people. Both are of
// the lists above or empty: the text is the client's, and a mail must not repeat it.
func browserName(agent string) (browser, system string) {
	find := func(list [][2]string) string {
		for _, b := range list {
			if strings.Contains(agent, b[0]) {
				return b[1]
			}
		}
		return ""
	}
	return find(browsers), find(systems)
}
