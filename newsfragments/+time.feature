Routes can match by the time of the day and the day of the week: ``match: {time: {hours: "08:00-18:00", days: mon-fri}}``; ``portmux explain --at TIME`` tells what becomes of a client then.
