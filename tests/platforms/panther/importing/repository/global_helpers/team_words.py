WORDS = ("open", "shut")
