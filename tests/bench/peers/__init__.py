"""What is measured beside the desk, each by the interpreter that has it installed; nothing here is imported by it."""
