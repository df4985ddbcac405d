``conf/fail2ban`` holds a filter and a jail for fail2ban, which ban clients whose bytes fit no route.
