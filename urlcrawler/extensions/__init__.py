"""Extensions: they listen to signals and never handle a page themselves."""
