package mailtext

import (
	"fmt"
	"strconv"
)

// units are seconds, minutes, hours and days, one and several of them, as they follow
// "for": in German the accusative.
var units = map[string][4][2]string{
	"en": {{"second", "seconds"}, {"minute", "minutes"}, {"hour", "hours"}, {"day", "days"}},
	"de": {{"Sekunde", "Sekunden"}, {"Minute", "Minuten"}, {"Stunde", "Stunden"}, {"Tag", "Tage"}},
	"fr": {{"seconde", "secondes"}, {"minute", "minutes"}, {"heure", "heures"}, {"jour", "jours"}},
	"it": {{"secondo", "secondi"}, {"minuto", "minuti"}, {"ora", "ore"}, {"giorno", "giorni"}},
	"es": {{"segundo", "segundos"}, {"minuto", "minutos"}, {"hora", "horas"}, {"día", "días"}},
}

// duration writes a number of seconds for people, in the largest unit that it is a
// multiple of: "300" is "5 minutes". A language that it does not know gets English.
func duration(language, seconds string) (string, error) {
	n, err := strconv.Atoi(seconds)
	if err != nil || n < 0 {
		return "", fmt.Errorf("duration: want a number of seconds")
	}
	words, known := units[language]
	if !known {
		words = units[english]
	}
	unit := 0
	for i, length := range []int{60, 3600, 86400} {
		if n > 0 && n%length == 0 {
			unit = i + 1
		}
	}
	n /= []int{1, 60, 3600, 86400}[unit]
	form := 1
	if n == 1 || language == "fr" && n == 0 {
		form = 0
	}
	return strconv.Itoa(n) + " " + words[unit][form], nil
}
